package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jobman/job"
)

// answerWithin is how long a receiver may take to answer, with all redirects.
var answerWithin = 30 * time.Second

// errRedirect is a redirect that is not followed.
var errRedirect = errors.New("it redirects elsewhere, and that is not followed")

// post posts a body. Redirects are followed that keep it a POST and lead to the same
// host: what is posted, and the headers, are for that alone.
func post(ctx context.Context, target string, header http.Header, body string) error {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return &job.SendError{Text: "it has no valid URL of http or https", Final: true}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, fmt.Errorf("no answer within %s", answerWithin))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(body))
	if err != nil {
		return errors.New("it has no valid URL")
	}
	req.Header = header
	req.Header.Set("User-Agent", "jobman")
	client := http.Client{
		Transport: &http.Transport{Proxy: proxy, DisableKeepAlives: true, ForceAttemptHTTP2: true},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			first := via[0].URL
			if len(via) > 5 || next.Method != http.MethodPost || next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
				return errRedirect
			}
			return nil
		},
	}
	resp, err := client.Do(req)
	if errors.Is(err, errRedirect) {
		return errRedirect
	}
	var failed *url.Error
	if errors.As(err, &failed) { // which quotes the URL
		err = failed.Err
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return refusal(resp)
}

// proxy is that of the environment, whose error would quote its URL, and so a password.
func proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errors.New("the proxy in the environment has no valid URL")
	}
	return u, nil
}

// refusal is the error of an answer that is not 2xx.
func refusal(resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	word := strings.Join(strings.Fields(string(text)), " ")
	if err != nil || word == "" || strings.HasPrefix(word, "<") {
		word = ""
	} else {
		word = ": " + word // it is cut when it is free of secrets
	}
	return &answered{job.SendError{
		Text:       fmt.Sprintf("it answers %d %s%s", resp.StatusCode, http.StatusText(resp.StatusCode), word),
		Final:      resp.StatusCode == http.StatusGone,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
	}, resp.StatusCode}
}

// answered is an answer that is not 2xx.
type answered struct {
	job.SendError
	status int
}

func (a *answered) Unwrap() error { return &a.SendError }

// retryAfter reads that header, see RFC 9110.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && n > 0 {
		return time.Duration(min(n, 7*24*3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
