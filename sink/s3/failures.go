package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// The slugs of this package's problems.
const (
	DeliveryFailed     = "s3_failed"
	BucketMissing      = "bucket_missing"
	AccessDenied       = "access_denied"
	NoCredentials      = "no_credentials"
	CredentialsRefused = "credentials_refused"
	ClockWrong         = "clock_wrong"
	RegionWrong        = "region_wrong"
	SettingRefused     = "setting_refused" // of the sink: an ACL, a key, a storage class
	ObjectRefused      = "object_refused"  // for good
	StoreBusy          = "store_busy"
)

// maxWait is how long Retry-After is obeyed.
const maxWait = 24 * time.Hour

// maxSaid is how much of a store's own words is repeated.
const maxSaid = 200

// A failure is what a store answered.
type failure struct {
	is     *problem.Error
	code   string // the store's word
	status int
	header map[string]string
}

func (f *failure) Error() string { return f.is.Error() }
func (f *failure) Unwrap() error { return f.is }

// A verdict is what a store's word means, and what to do about it.
type verdict struct {
	code problem.Code
	slug string
	hint string
	dead bool // no try can help
}

// verdicts are by the codes of S3's errors. What people can mend is not permanent:
// deliveries wait until they have.
var verdicts = byCode(map[verdict]string{
	{problem.NotFound, BucketMissing, "make the bucket, or correct the sink's bucket; deliveries wait", false}:                     "NoSuchBucket",
	{problem.Forbidden, AccessDenied, "allow it in the policy of the key or role; docs/sinks.md lists what is needed", false}:      "AccessDenied Forbidden AllAccessDisabled AccountProblem InvalidPayer NotSignedUp",
	{problem.Unauthorized, CredentialsRefused, "see that the key and its secret are right, and were not deleted", false}:           "InvalidAccessKeyId SignatureDoesNotMatch InvalidSecurity Unauthorized AuthorizationHeaderMalformed XAdminUserNotFound",
	{problem.Unauthorized, CredentialsRefused, "they have expired: give new ones, or none so that the machine's own serve", false}: "ExpiredToken ExpiredTokenException InvalidToken TokenRefreshRequired RequestExpired",
	{problem.Surroundings, ClockWrong, "set this machine's clock, by NTP", false}:                                                  "RequestTimeTooSkewed",
	{problem.Upstream, RegionWrong, "set the sink's region", false}:                                                                "PermanentRedirect MovedPermanently TemporaryRedirect Redirect IllegalLocationConstraintException",
	{problem.Upstream, SettingRefused, "take acl out of the sink, or allow ACLs in the bucket's object ownership", false}:          "AccessControlListNotSupported",
	{problem.Upstream, SettingRefused, "correct the sink's storage_class", false}:                                                  "InvalidStorageClass",
	{problem.Upstream, SettingRefused, "correct the sink's sse and kms_key, and allow kms:GenerateDataKey", false}:                 "KMS.DisabledException KMS.NotFoundException KMS.InvalidStateException KMS.KMSInvalidStateException KMS.InvalidKeyUsageException InvalidEncryptionAlgorithmError ServerSideEncryptionConfigurationNotFoundError",
	{problem.Invalid, ObjectRefused, "shorten what path and alias are made of", true}:                                              "KeyTooLongError InvalidObjectName XMinioInvalidObjectName",
	{problem.TooLarge, ObjectRefused, "raise part_size, or make a smaller picture", true}:                                          "EntityTooLarge",
	{problem.Invalid, ObjectRefused, "correct the sink's metadata or tags", true}:                                                  "MetadataTooLarge InvalidTag",
	{problem.Overloaded, StoreBusy, "", false}:                                                                                     "SlowDown ServiceUnavailable TooManyRequests TooManyRequestsException Throttling ThrottlingException RequestLimitExceeded BandwidthLimitExceeded",
})

func byCode(codes map[verdict]string) map[string]verdict {
	by := map[string]verdict{}
	for v, all := range codes {
		for code := range strings.FieldsSeq(all) {
			by[code] = v
		}
	}
	return by
}

// failed is err as a person reads it, with nothing of the credentials.
func (b *bucket) failed(ctx, timed context.Context, doing, key string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	what := fmt.Sprintf("%s %q in the bucket %q", doing, key, b.cfg.Bucket)
	if key == "" {
		what = fmt.Sprintf("%s the bucket %q", doing, b.cfg.Bucket)
	}
	is := problem.New(problem.Upstream, "%s", what).WithSlug(DeliveryFailed)
	f := &failure{is: is}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil {
		f.status, f.header = answer.HTTPStatusCode(), b.shown(ctx, answer.Response.Header)
	}
	var said smithy.APIError
	switch {
	case timed.Err() != nil:
		is.Code, is.Message = problem.Timeout, fmt.Sprintf("%s: no answer within %s", what, b.cfg.Timeout.Std())
	case errors.As(err, &said):
		f.code = said.ErrorCode()
		is.Message = fmt.Sprintf("%s: %s", what, words(f.status, b.clean(ctx, f.code), b.clean(ctx, said.ErrorMessage())))
		return b.judge(f, answer)
	case f.status != 0:
		is.Message = fmt.Sprintf("%s: status %d, and no answer that S3 gives", what, f.status)
		return f.wait(answer)
	default:
		f.noAnswer(what, b.clean(ctx, innermost(err)), err)
	}
	return f
}

// noAnswer says why there is none. A refusal by a guarded client keeps its mark.
func (f *failure) noAnswer(what, why string, err error) {
	var way *net.OpError
	if errors.As(err, &way) && way.Op == "dial" && way.Addr != nil {
		why = way.Addr.String() + " can't be reached: " + why
	}
	f.is.Message = what + ": " + why
	_ = f.is.WithHint("see that the store runs, and that endpoint and region are right")
	var cause *problem.Error
	if errors.As(err, &cause) {
		f.is.Code, f.is.Slug, f.is.Hint, f.is.Message, f.is.Err = cause.Code, cause.Slug, cause.Hint, what+": "+cause.Message, err
		return
	}
	if strings.Contains(err.Error(), "get identity") || strings.Contains(err.Error(), "retrieve credentials") || strings.Contains(err.Error(), "get credentials") {
		f.is.Code, f.is.Slug, f.is.Message = problem.Unauthorized, NoCredentials, what+": there are no usable credentials: "+why
		_ = f.is.WithHint("give access_key and secret_key, credentials_file, or the machine a role")
	}
}

// judge says what a store's word means.
func (b *bucket) judge(f *failure, answer *smithyhttp.ResponseError) error {
	v, known := verdicts[f.code]
	switch {
	case known:
		f.is.Code, f.is.Slug, f.is.Hint = v.code, v.slug, v.hint
	case f.status == http.StatusForbidden: // each store has words of its own
		v = verdicts["AccessDenied"]
		f.is.Code, f.is.Slug, f.is.Hint = v.code, v.slug, v.hint
	case f.status == http.StatusMovedPermanently || f.status == http.StatusTemporaryRedirect:
		f.is.Slug = RegionWrong
		_ = f.is.WithHint("set the sink's region")
	case f.status == http.StatusServiceUnavailable || f.status == http.StatusTooManyRequests:
		f.is.Code, f.is.Slug = problem.Overloaded, StoreBusy
	}
	if answer == nil || answer.Response == nil {
		return f
	}
	where := answer.Response.Header.Get("X-Amz-Bucket-Region")
	switch {
	case where != "" && where != b.client.Options().Region:
		f.is.Slug = RegionWrong
		_ = f.is.WithHint("the bucket is in %s: set region: %s", where, where)
	case f.is.Slug == ClockWrong:
		if there, err := http.ParseTime(answer.Response.Header.Get("Date")); err == nil {
			f.is.Message += fmt.Sprintf("; this machine's clock is %s off", time.Until(there).Abs().Round(time.Second))
		}
	}
	if v.dead {
		return retry.Permanent(f)
	}
	return f.wait(answer)
}

// wait obeys Retry-After.
func (f *failure) wait(answer *smithyhttp.ResponseError) error {
	text := answer.Response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil && seconds > 0 {
		return retry.After(f, min(time.Duration(seconds)*time.Second, maxWait))
	}
	if at, err := http.ParseTime(text); err == nil && time.Until(at) > 0 {
		return retry.After(f, min(time.Until(at), maxWait))
	}
	return f
}

// words are those of the store, in one line.
func words(status int, code, message string) string {
	if code == "" || code == "UnknownError" {
		code = strconv.Itoa(status)
	}
	message = strings.Join(strings.Fields(strings.ToValidUTF8(message, "\uFFFD")), " ")
	if message == "" || message == code || message == "UnknownError" {
		return code
	}
	if len(message) > maxSaid {
		cut := maxSaid
		for !utf8.RuneStart(message[cut]) {
			cut--
		}
		message = message[:cut] + "…"
	}
	return code + ": " + strings.TrimSuffix(message, ".")
}

// innermost is the cause without the SDK's frame around it.
func innermost(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// clean cuts out what a store, or the SDK, repeats of the credentials.
func (b *bucket) clean(ctx context.Context, text string) string {
	hidden := []string{b.cfg.AccessKey.Reveal(), b.cfg.SecretKey.Reveal(), b.cfg.SessionToken.Reveal()}
	if provider := b.client.Options().Credentials; provider != nil {
		// They are remembered from the request: nothing is asked for.
		if c, err := provider.Retrieve(ctx); err == nil {
			hidden = append(hidden, c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
		}
	}
	for _, secret := range hidden {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// shownHeaders are those of an answer that a store's people ask for.
var shownHeaders = []string{"X-Amz-Request-Id", "X-Amz-Id-2", "X-Amz-Bucket-Region", "Retry-After", "Cf-Ray"}

func (b *bucket) shown(ctx context.Context, h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range shownHeaders {
		if value := h.Get(name); value != "" {
			kept[name] = b.clean(ctx, value)
		}
	}
	return kept
}

// isMissing reports whether an object or an upload is not there. A bucket that is
// not there is another fault.
func isMissing(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.status == http.StatusNotFound && f.is.Slug != BucketMissing
}

func isForbidden(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.status == http.StatusForbidden
}
