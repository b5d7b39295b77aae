package remote

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
)

// webhook posts the notice as JSON. With a secret it is signed: X-Jobman-Signature is
// "sha256=" and the HMAC-SHA256 of the body, in hexadecimal digits.
func webhook(ctx context.Context, o *order) (string, error) {
	body, err := json.Marshal(o.notice)
	if err != nil {
		return "", fmt.Errorf("encode the event: %w", err)
	}
	header := http.Header{
		"Content-Type":      {"application/json"},
		"X-Jobman-Event":    {string(o.notice.Event)},
		"X-Jobman-Event-Id": {o.notice.EventID},
	}
	if auth := o.key("auth"); auth != "" {
		header.Set("Authorization", auth)
	}
	if key := o.key("secret"); key != "" {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(body) // a hash never fails
		header.Set("X-Jobman-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	return "it was posted", post(ctx, o.key("url"), header, string(body))
}
