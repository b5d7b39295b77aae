// Package remote checks the conditions that need a network. It is a package, and
// jobman-net a program, of its own because of what an HTTP client costs at the
// start of each process that could have one.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"jobman/job"
)

// limit is how long an answer may take, with all redirects.
var limit = 30 * time.Second

// HTTP checks whether a URL answers GET with 2xx. Up to 10 redirects are followed;
// the body is not read.
func HTTP(ctx context.Context, target string) job.Check {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	return finish(ctx, get, target)
}

func get(ctx context.Context, target string) (check job.Check, err error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		// The error would quote what may be a password.
		return check, errors.New("no valid URL of http or https")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return check, err
	}
	client := http.Client{Transport: &http.Transport{Proxy: proxy, DisableKeepAlives: true, ForceAttemptHTTP2: true}}
	resp, err := client.Do(req)
	if err != nil {
		if strings.Contains(err.Error(), "failed to parse Location header") {
			err = errors.New("redirected to no valid URL") // it may hold a token
		}
		return check, err
	}
	// All of a body that is not read is lost with the connection.
	defer resp.Body.Close()
	check.Met = resp.StatusCode/100 == 2
	check.Detail = strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	return check, nil
}

// proxy is that of the environment. The error of what it wraps quotes its URL, and
// so a password.
func proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errors.New("the proxy in the environment has no valid URL")
	}
	return u, nil
}

// finish looks, and makes one line without secrets of an error.
func finish(ctx context.Context, look func(context.Context, string) (job.Check, error), target string) job.Check {
	check, err := look(ctx, target)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		// The URL has tokens in its query, and what comes with it is of no news.
		for inner := (*url.Error)(nil); errors.As(err, &inner); {
			err = inner.Err
		}
		check = job.Check{Error: oneLine(err.Error())}
	}
	check.At = time.Now().UTC()
	return check
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	}), " ")
}
