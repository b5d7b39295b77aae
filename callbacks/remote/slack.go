package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// slackEscape is what Slack wants escaped in text.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slack posts to an incoming webhook of Slack, or of what understands the same.
func slack(ctx context.Context, o *order) (string, error) {
	m, err := o.message()
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]string{"text": slackEscape.Replace(m.subject + "\n```\n" + strings.ReplaceAll(m.text, "```", "'''") + "\n```")})
	if err != nil {
		return "", fmt.Errorf("encode the message: %w", err)
	}
	return "it was posted", post(ctx, o.key("url"), http.Header{"Content-Type": {"application/json"}}, string(body))
}
