package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// loadLimit is how long the files of credentials may take to be read.
const loadLimit = 10 * time.Second

// A Client is a bucket that can be asked. It is safe for concurrent use.
type Client struct {
	*s3.Client

	place Place
}

// Open is a client that goes by way of client, or its own way if that is nil. It
// reads the environment and files where p has no keys, and reaches nothing.
func Open(p Place, client *http.Client) (*Client, error) {
	if !p.AccessKey.IsZero() {
		o := s3.Options{
			Region:      p.regionOr(p.Region),
			Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(p.AccessKey.Reveal(), p.SecretKey.Reveal(), p.SessionToken.Reveal())),
		}
		if client != nil {
			o.HTTPClient = client
		}
		return &Client{s3.New(o, p.settle), p}, nil
	}
	found, err := p.load()
	if err != nil {
		return nil, err
	}
	return &Client{s3.NewFromConfig(found, p.settle), p}, nil
}

// Call makes one request within the timeout. Its error is a *Failure, or that of
// ctx; doing and key say in it what was asked.
func (c *Client) Call(ctx context.Context, doing, key string, request func(context.Context) error) error {
	timed, cancel := context.WithTimeout(ctx, c.place.Timeout)
	defer cancel()
	err := request(timed)
	if err == nil {
		return nil
	}
	return c.Failed(ctx, timed, doing, key, err)
}

// maxFault is how much of an answer is read that says what is wrong.
const maxFault = 64 << 10

// Do makes a request that is signed already, as Call does, and once only.
func (c *Client) Do(ctx context.Context, doing, key string, r *http.Request) error {
	return c.Call(ctx, doing, key, func(ctx context.Context) error {
		answer, err := c.Options().HTTPClient.Do(r.WithContext(ctx))
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode < http.StatusMultipleChoices {
			return nil
		}
		var said struct{ Code, Message string }
		_ = xml.NewDecoder(io.LimitReader(answer.Body, maxFault)).Decode(&said) // else the status says it
		return &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: answer},
			Err:      &smithy.GenericAPIError{Code: said.Code, Message: said.Message},
		}
	})
}

// regionOr is the one to sign for. Stores other than Amazon's know DefaultRegion,
// or none at all.
func (p *Place) regionOr(found string) string {
	if found == "" && p.Endpoint != "" {
		return DefaultRegion
	}
	return found
}

// load finds credentials as the tools of AWS do.
func (p *Place) load() (aws.Config, error) {
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithLogger(logging.Nop{})}
	if p.Region != "" {
		options = append(options, awsconfig.WithRegion(p.Region))
	}
	if p.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(p.Profile))
	}
	if p.CredentialsFile != "" {
		options = append(options, awsconfig.WithSharedCredentialsFiles([]string{p.CredentialsFile}))
	}
	ctx, cancel := context.WithTimeout(context.Background(), loadLimit)
	defer cancel()
	found, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		p := problem.New(problem.Invalid, "read the credentials: %w", err).WithSlug(NoCredentials)
		var missing awsconfig.SharedConfigProfileNotExistError
		if errors.As(err, &missing) {
			return found, p.At("profile").WithHint("name a profile of the file, or leave profile out")
		}
		return found, p.WithHint("see the files of AWS_PROFILE, credentials_file and ~/.aws")
	}
	if found.Region = p.regionOr(found.Region); found.Region == "" {
		return found, problem.New(problem.Invalid, "no region is set, here or in the environment").At("region").WithHint("as in eu-central-1: where the bucket is")
	}
	return found, nil
}

// settle is what holds for every client.
func (p *Place) settle(o *s3.Options) {
	o.AppID = "pictifyd"
	o.Logger = logging.Nop{}
	o.UsePathStyle = p.PathStyle
	if p.Endpoint != "" {
		o.BaseEndpoint = aws.String(p.Endpoint)
	}
	if found, ok := o.HTTPClient.(*awshttp.BuildableClient); ok && p.Parallel > 0 {
		o.HTTPClient = found.WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = p.Parallel })
	}
	// Trailing checksums are Amazon's: others refuse them, or store the framing. The
	// digests that each request carries are set here.
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	// An idle connection that the store closed is no fault, and is opened again.
	o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
		r.MaxAttempts = 2
		r.MaxBackoff = 100 * time.Millisecond
		r.RateLimiter = ratelimit.None
		r.Retryables = []retry.IsErrorRetryable{retry.NoRetryCanceledError{}, retry.RetryableConnectionError{}}
	})
}
