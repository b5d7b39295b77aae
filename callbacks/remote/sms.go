package remote

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jobman/callbacks"
	"jobman/job"
)

const (
	twilio = "https://api.twilio.com"
	maxSMS = 480 // bytes: three messages
	// smsWithin is how long it may take to tell all numbers, less than jobman-net may.
	smsWithin = 50 * time.Second
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
	header := http.Header{
		"Content-Type":  {"application/x-www-form-urlencoded"},
		"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+token))},
	}
	ctx, cancel := context.WithTimeoutCause(ctx, smsWithin, fmt.Errorf("the API did not take all within %s", smsWithin))
	defer cancel()
	err = tellEach(o.Keys["to"], func(to string) error {
		form := url.Values{"To": {to}, "From": {o.key("from")}, "Body": {callbacks.Clip(text, maxSMS)}}
		err := post(ctx, target, header.Clone(), form.Encode())
		var refused *answered
		if errors.As(err, &refused) && refused.status == http.StatusBadRequest {
			refused.Final = true // the number, or what is sent, is wrong
		}
		return err
	})
	return "the API took it", err
}
