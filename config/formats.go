package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-viper/encoding/hcl"
	"github.com/go-viper/encoding/ini"
	"github.com/go-viper/encoding/javaproperties"
	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// decode reads a document in a format. Keys are as they were written.
func decode(format string, text []byte) (raw map[string]any, err error) {
	raw = map[string]any{}
	text = bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))
	codecs := viper.NewCodecRegistry()
	for name, codec := range map[string]viper.Codec{
		"yaml": yamlCodec{}, "json": jsonCodec{}, "env": envCodec{}, "hcl": hcl.Codec{}, "ini": ini.Codec{KeyDelimiter: nowhere}, "properties": propertiesCodec{},
	} {
		if err := codecs.RegisterCodec(name, codec); err != nil {
			return nil, err
		}
	}
	d, err := codecs.Decoder(format)
	if err != nil {
		return nil, err
	}
	return raw, d.Decode(text, raw)
}

// errorLine is where a document can't be read, and why.
func errorLine(text []byte, err error) (int, string) {
	var inTOML *toml.DecodeError
	var inJSON *json.SyntaxError
	switch {
	case errors.As(err, &inTOML):
		line, _ := inTOML.Position()
		return line, strings.TrimPrefix(inTOML.Error(), "toml: ")
	case errors.As(err, &inJSON):
		return lineAt(text, inJSON.Offset), inJSON.Error()
	}
	why := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := saidLine.FindStringSubmatch(why); m != nil {
		if _, err := fmt.Sscan(m[1], &line); err == nil {
			why = strings.TrimSpace(why[len(m[0]):])
		}
	}
	return line, why
}

// saidLine is how the decoders of YAML and HCL begin their errors.
var saidLine = regexp.MustCompile(`^(?:line |[Aa]t )(\d+):(?:\d+:)?`)

func lineAt(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:max(0, min(offset, int64(len(text))))], []byte("\n"))
}

// noEncoder is for codecs that nothing is written with.
type noEncoder struct{}

// Encode implements viper.Encoder.
func (noEncoder) Encode(map[string]any) ([]byte, error) { return nil, errors.ErrUnsupported }

// jsonCodec keeps numbers as they are written, and takes one document only.
type jsonCodec struct{ noEncoder }

// Decode implements viper.Decoder.
func (jsonCodec) Decode(text []byte, raw map[string]any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one document")
	}
	return nil
}

// yamlCodec keeps what YAML would make a time of as it is written: without a zone
// that is local time here, and UTC there.
type yamlCodec struct{ noEncoder }

// Decode implements viper.Decoder.
func (yamlCodec) Decode(text []byte, raw map[string]any) error {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return err
	}
	if len(document.Content) == 0 {
		return nil
	}
	var asText func(n *yaml.Node)
	asText = func(n *yaml.Node) {
		if n.Tag == "!!timestamp" {
			n.Tag = "!!str"
		}
		for _, c := range n.Content {
			asText(c)
		}
	}
	asText(&document)
	return document.Decode(&raw)
}

// nowhere occurs in no key: keys are not taken apart by codecs, which would lose one
// of timeout and timeout.run.
const nowhere = "\x00"

// propertiesCodec keeps the case of keys.
type propertiesCodec struct{ noEncoder }

// Decode implements viper.Decoder.
func (propertiesCodec) Decode(text []byte, raw map[string]any) error {
	c := &javaproperties.Codec{KeyDelimiter: nowhere}
	if err := c.Decode(text, map[string]any{}); err != nil {
		return err
	}
	for _, key := range c.Properties.Keys() {
		if value, ok := c.Properties.Get(key); ok {
			raw[key] = value
		}
	}
	return nil
}

// envCodec is viper's, which takes letters, digits, _ and dots in keys only. Other
// characters of names pass it as a mark that does not occur in the file.
type envCodec struct{ noEncoder }

var envKey = regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+)?([^\s#='"][^\n#='"]*?)[ \t]*=`)

var envOdd = regexp.MustCompile(`[^A-Za-z0-9_.]`)

// Decode implements viper.Decoder.
func (envCodec) Decode(text []byte, raw map[string]any) error {
	own, err := viper.NewCodecRegistry().Decoder("dotenv")
	if err != nil {
		return err
	}
	mark := "X"
	for bytes.Contains(text, []byte(mark)) {
		mark += "xX"
	}
	odd := []string{} // what the marks stand for
	passed := map[string]string{}
	var out bytes.Buffer
	end := 0
	for _, m := range envKey.FindAllSubmatchIndex(text, -1) {
		out.Write(text[end:m[2]])
		out.WriteString(envOdd.ReplaceAllStringFunc(string(text[m[2]:m[3]]), func(c string) string {
			if passed[c] == "" {
				passed[c] = fmt.Sprintf("%s%d_", mark, len(passed))
				odd = append(odd, passed[c], c)
			}
			return passed[c]
		}))
		end = m[3]
	}
	out.Write(text[end:])
	decoded := map[string]any{}
	back := strings.NewReplacer(odd...)
	if err := own.Decode(out.Bytes(), decoded); err != nil {
		return errors.New(back.Replace(err.Error()))
	}
	for key, value := range decoded {
		raw[back.Replace(key)] = back.Replace(fmt.Sprint(value))
	}
	return nil
}
