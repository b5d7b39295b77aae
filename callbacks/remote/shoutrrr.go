package remote

import (
	"context"
	"fmt"
	"net/http"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"jobman/job"
)

// shout sends the message by one of the services that shoutrrr has URLs for.
func shout(ctx context.Context, o *order) (string, error) {
	m, err := o.message()
	if err != nil {
		return "", err
	}
	target := o.key("url")
	service, err := new(router.ServiceRouter).Locate(target)
	if err != nil {
		return "", &job.SendError{Text: err.Error(), Final: true}
	}
	stayHome(service)
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, fmt.Errorf("no answer within %s", answerWithin))
	defer cancel()
	done := make(chan error, 1) // it knows no context; this process ends soon
	go func() { done <- service.Send(m.text, &types.Params{}) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return "the service took it", err
}

// stayHome has a service use a homely transport: most use the default one, some have a
// client of their own.
func stayHome(service types.Service) {
	transport := homely{&http.Transport{Proxy: proxy, DisableKeepAlives: true}}
	http.DefaultTransport = transport
	switch s := service.(type) {
	case interface{ SetHTTPClient(client *http.Client) }:
		s.SetHTTPClient(&http.Client{Transport: transport})
	case interface{ GetHTTPClient() *http.Client }:
		if client := s.GetHTTPClient(); client != nil {
			client.Transport = transport
		}
	}
}

// homely is a transport that follows no redirect to another host: what is sent, and the
// credentials in it, are for that alone.
type homely struct{ http.RoundTripper }

func (h homely) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := h.RoundTripper.RoundTrip(req)
	if err != nil || resp.StatusCode/100 != 3 {
		return resp, err
	}
	if next, err := resp.Location(); err != nil || next.Host != req.URL.Host || next.Scheme != req.URL.Scheme {
		resp.Body.Close()
		return nil, errRedirect
	}
	return resp, nil
}
