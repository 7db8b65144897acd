package s3

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// loadLimit is how long the files of credentials may take to be read.
const loadLimit = 10 * time.Second

// newClient is a client that goes by way of client, or its own way if that is nil.
func newClient(c Config, client *http.Client) (*s3.Client, error) {
	if !c.AccessKey.IsZero() {
		o := s3.Options{
			Region:      region(c, c.Region),
			Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(c.AccessKey.Reveal(), c.SecretKey.Reveal(), c.SessionToken.Reveal())),
		}
		if client != nil {
			o.HTTPClient = client
		}
		return s3.New(o, c.settle), nil
	}
	found, err := load(c)
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(found, c.settle), nil
}

// region is the one to sign for. Stores other than Amazon's know this one, or
// none at all.
func region(c Config, found string) string {
	if found == "" && c.Endpoint != "" {
		return defaultRegion
	}
	return found
}

// load finds credentials as the tools of AWS do.
func load(c Config) (aws.Config, error) {
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithLogger(logging.Nop{})}
	if c.Region != "" {
		options = append(options, awsconfig.WithRegion(c.Region))
	}
	if c.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(c.Profile))
	}
	if c.CredentialsFile != "" {
		options = append(options, awsconfig.WithSharedCredentialsFiles([]string{c.CredentialsFile}))
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
	if found.Region = region(c, found.Region); found.Region == "" {
		return found, problem.New(problem.Invalid, "no region is set, here or in the environment").At("region").WithHint("as in eu-central-1: where the bucket is")
	}
	return found, nil
}

// settle is what holds for every client.
func (c *Config) settle(o *s3.Options) {
	o.AppID = "pictifyd"
	o.Logger = logging.Nop{}
	o.UsePathStyle = c.pathStyle()
	if c.Endpoint != "" {
		o.BaseEndpoint = aws.String(c.Endpoint)
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
