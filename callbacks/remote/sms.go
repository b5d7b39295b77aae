package remote

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"jobman/callbacks"
	"jobman/job"
)

const (
	twilio = "https://api.twilio.com"
	maxSMS = 480 // bytes: three messages
)

// sms sends a short message to each number by Twilio's API, or one like it.
func sms(ctx context.Context, o *order) (string, error) {
	m, err := o.message()
	if err != nil {
		return "", err
	}
	text := m.subject
	if o.Key("text") != "" {
		text = m.text
	}
	base := o.key("base_url")
	if base == "" {
		base = twilio
	}
	account, token := o.key("account"), o.key("token")
	if account == "" || token == "" || o.key("from") == "" {
		return "", &job.SendError{Text: "it has no account, token or from", Final: true}
	}
	target := strings.TrimRight(base, "/") + "/2010-04-01/Accounts/" + url.PathEscape(account) + "/Messages.json"
	for _, to := range o.Keys["to"] {
		header := http.Header{
			"Content-Type":  {"application/x-www-form-urlencoded"},
			"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+token))},
		}
		form := url.Values{"To": {to}, "From": {o.key("from")}, "Body": {callbacks.Clip(text, maxSMS)}}
		if err := post(ctx, target, header, form.Encode()); err != nil {
			return "", fmt.Errorf("to %s: %w", to, err)
		}
	}
	return "the API took it", nil
}
