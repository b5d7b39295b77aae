package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"jobman/job"
)

// iamLimit is how long the credentials of a machine are waited for: where there
// are none, nobody answers.
const iamLimit = 3 * time.Second

// S3 checks whether s3://bucket is there, or s3://bucket/key, or an object below
// s3://bucket/prefix/.
func S3(ctx context.Context, target string) job.Check {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	return finish(ctx, s3, target)
}

func s3(ctx context.Context, target string) (job.Check, error) {
	path, ok := strings.CutPrefix(target, "s3://")
	bucket, key, _ := strings.Cut(path, "/")
	if !ok || bucket == "" {
		return job.Check{}, errors.New("no valid target: s3://bucket, s3://bucket/key or s3://bucket/prefix/")
	}
	client, err := newClient(ctx)
	if err != nil {
		return job.Check{}, err
	}
	var found bool
	var detail string
	switch {
	case key == "":
		found, err = client.BucketExists(ctx, bucket)
		detail = "bucket"
	case strings.HasSuffix(key, "/"):
		detail, err = below(ctx, client, bucket, key)
		found = detail != ""
	default:
		var info minio.ObjectInfo
		info, err = client.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
		found = err == nil
		detail = strconv.FormatInt(info.Size, 10) + " bytes"
		if code(err) == minio.NoSuchKey {
			err = noSuchBucket(ctx, client, bucket)
		}
	}
	switch {
	case err != nil:
		return job.Check{}, explain(err, bucket)
	case !found && key == "":
		detail = "no such bucket"
	case !found && strings.HasSuffix(key, "/"):
		detail = "no such prefix"
	case !found:
		detail = "no such key"
	}
	return job.Check{Met: found, Detail: detail}, nil
}

// below returns an object below a prefix. What is called as the prefix itself is
// a console's mark of an empty folder.
func below(ctx context.Context, client *minio.Client, bucket, prefix string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing
	for object := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, MaxKeys: 2}) {
		if object.Err != nil {
			return "", object.Err
		}
		if object.Key != prefix {
			return oneLine(object.Key), nil
		}
	}
	return "", nil
}

// noSuchBucket tells what the answer to HEAD can't: it has no body, so a missing
// bucket looks like a missing key. Who may not know has to believe in the bucket.
func noSuchBucket(ctx context.Context, client *minio.Client, bucket string) error {
	ok, err := client.BucketExists(ctx, bucket)
	if err == nil && !ok {
		return minio.ErrorResponse{Code: minio.NoSuchBucket}
	}
	return ctx.Err()
}

func code(err error) string {
	var resp minio.ErrorResponse
	if errors.As(err, &resp) {
		return resp.Code
	}
	return ""
}

// explain says in a few words what the service says at length.
func explain(err error, bucket string) error {
	var resp minio.ErrorResponse
	if !errors.As(err, &resp) {
		return err
	}
	switch {
	case resp.Code == minio.NoSuchBucket:
		return fmt.Errorf("no such bucket: %s", bucket)
	case resp.Code == minio.AccessDenied:
		return fmt.Errorf("no access to bucket %s", bucket)
	case resp.Message == "":
		return fmt.Errorf("bucket %s: %s", bucket, resp.Code)
	}
	return fmt.Errorf("bucket %s: %s: %s", bucket, resp.Code, resp.Message)
}

func newClient(ctx context.Context) (*minio.Client, error) {
	endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com")
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("the endpoint in AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is not of the form https://host:port")
	}
	keys, err := findKeys(ctx)
	if err != nil {
		return nil, err
	}
	transport, err := minio.DefaultTransport(u.Scheme == "https")
	if err != nil {
		return nil, err
	}
	transport.Proxy = proxy
	transport.DisableKeepAlives = true
	return minio.New(u.Host, &minio.Options{
		Creds:      credentials.NewStatic(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, keys.SignerType),
		Secure:     u.Scheme == "https",
		Transport:  transport,
		Region:     cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		MaxRetries: 2, // the next check is another try
	})
}

// findKeys returns the credentials of the environment, else of the user's files,
// else of the machine. Without any, what is public can still be seen.
func findKeys(ctx context.Context) (credentials.Value, error) {
	asked := &credentials.CredContext{Client: &http.Client{Transport: &http.Transport{Proxy: proxy}}, Context: ctx}
	if keys, err := (&credentials.EnvAWS{}).RetrieveWithCredContext(asked); err == nil && keys.AccessKeyID != "" {
		return keys, nil
	}
	keys, err := (&credentials.FileAWSCredentials{}).RetrieveWithCredContext(asked)
	if err == nil && keys.AccessKeyID != "" {
		return keys, nil
	}
	if profile := os.Getenv("AWS_PROFILE"); profile != "" {
		return keys, fmt.Errorf("no credentials of profile %q", profile) // err may quote a line of the file
	}
	none := credentials.Value{SignerType: credentials.SignatureAnonymous}
	if strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return none, nil
	}
	short, cancel := context.WithTimeout(ctx, iamLimit)
	defer cancel()
	asked.Context = short
	if keys, err := (&credentials.IAM{}).RetrieveWithCredContext(asked); err == nil && keys.AccessKeyID != "" {
		return keys, nil
	}
	return none, nil
}
