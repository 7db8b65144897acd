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
	BucketMissing      = "bucket_missing"
	AccessDenied       = "access_denied"
	NoCredentials      = "no_credentials"
	CredentialsRefused = "credentials_refused"
	ClockWrong         = "clock_wrong"
	RegionWrong        = "region_wrong"
	SettingRefused     = "setting_refused" // an ACL, a key, a storage class
	ObjectRefused      = "object_refused"  // for good
	StoreBusy          = "store_busy"
)

// maxWait is how long Retry-After is obeyed.
const maxWait = 24 * time.Hour

// maxSaid is how much of a store's own words is repeated.
const maxSaid = 200

// A Failure is what a store answered.
type Failure struct {
	Is     *problem.Error
	Status int               // 0: there was no answer
	Header map[string]string // those that a store's people ask for

	code string // the store's word
}

func (f *Failure) Error() string { return f.Is.Error() }
func (f *Failure) Unwrap() error { return f.Is }

// Passing reports whether the same request may well succeed a moment later.
func (f *Failure) Passing() bool {
	switch f.Is.Slug {
	case NoCredentials, CredentialsRefused, AccessDenied, BucketMissing, RegionWrong, SettingRefused, ObjectRefused:
		return false
	case ClockWrong, StoreBusy: // the SDK has set itself by the clock of the answer
		return true
	}
	switch f.code {
	case "RequestTimeout", "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody": // it was hurt on the way
		return true
	}
	return f.Status == 0 || f.Status >= http.StatusInternalServerError || f.Status == http.StatusTooManyRequests || f.Status == http.StatusRequestTimeout
}

// A verdict is what a store's word means, and what to do about it.
type verdict struct {
	code problem.Code
	slug string
	hint string
	dead bool // no try can help
}

// verdicts are by the codes of S3's errors. What people can mend is not permanent:
// what depends on it waits until they have. Words stands in braces.
var verdicts = byCode(map[verdict]string{
	{problem.NotFound, BucketMissing, "make the bucket, or correct {bucket}; {wait}", false}:                                       "NoSuchBucket",
	{problem.Forbidden, AccessDenied, "allow it in the policy of the key or role; {docs} lists what is needed", false}:             "AccessDenied Forbidden AllAccessDisabled AccountProblem InvalidPayer NotSignedUp",
	{problem.Unauthorized, CredentialsRefused, "see that the key and its secret are right, and were not deleted", false}:           "InvalidAccessKeyId SignatureDoesNotMatch InvalidSecurity Unauthorized AuthorizationHeaderMalformed XAdminUserNotFound",
	{problem.Unauthorized, CredentialsRefused, "they have expired: give new ones, or none so that the machine's own serve", false}: "ExpiredToken ExpiredTokenException InvalidToken TokenRefreshRequired RequestExpired",
	{problem.Surroundings, ClockWrong, "set this machine's clock, by NTP", false}:                                                  "RequestTimeTooSkewed",
	{problem.Upstream, RegionWrong, "set {of} region", false}:                                                                      "PermanentRedirect MovedPermanently TemporaryRedirect Redirect IllegalLocationConstraintException",
	{problem.Upstream, SettingRefused, "take {of} acl out, or allow ACLs in the bucket's object ownership", false}:                 "AccessControlListNotSupported",
	{problem.Upstream, SettingRefused, "correct {of} storage_class", false}:                                                        "InvalidStorageClass",
	{problem.Upstream, SettingRefused, "correct {of} sse and kms_key, and allow kms:GenerateDataKey", false}:                       "KMS.DisabledException KMS.NotFoundException KMS.InvalidStateException KMS.KMSInvalidStateException KMS.InvalidKeyUsageException InvalidEncryptionAlgorithmError ServerSideEncryptionConfigurationNotFoundError",
	{problem.Invalid, ObjectRefused, "shorten what path and alias are made of", true}:                                              "KeyTooLongError InvalidObjectName XMinioInvalidObjectName",
	{problem.TooLarge, ObjectRefused, "raise part_size, or make a smaller picture", true}:                                          "EntityTooLarge",
	{problem.Invalid, ObjectRefused, "correct {of} metadata or tags", true}:                                                        "MetadataTooLarge InvalidTag",
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

// Failed is err as a person reads it, with nothing of the credentials.
func (c *Client) Failed(ctx, timed context.Context, doing, key string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	what := fmt.Sprintf("%s %q in the bucket %q", doing, key, c.place.Bucket)
	if key == "" {
		what = fmt.Sprintf("%s the bucket %q", doing, c.place.Bucket)
	}
	is := problem.New(problem.Upstream, "%s", what).WithSlug(c.place.Words.Slug)
	f := &Failure{Is: is}
	var answer *smithyhttp.ResponseError
	var header http.Header
	if errors.As(err, &answer) && answer.Response != nil {
		header = answer.Response.Header
		f.Status, f.Header = answer.HTTPStatusCode(), c.shown(ctx, header)
	}
	var said smithy.APIError
	switch {
	case timed.Err() != nil:
		is.Code, is.Message = problem.Timeout, fmt.Sprintf("%s: no answer within %s", what, c.place.Timeout)
	case errors.As(err, &said):
		f.code = said.ErrorCode()
		is.Message = fmt.Sprintf("%s: %s", what, words(f.Status, c.clean(ctx, f.code), c.clean(ctx, said.ErrorMessage())))
		return c.judge(f, header)
	case f.Status != 0:
		is.Message = fmt.Sprintf("%s: status %d, and no answer that S3 gives", what, f.Status)
		return f.wait(header)
	default:
		f.noAnswer(what, c.clean(ctx, innermost(err)), err)
		c.own(f)
	}
	return f
}

// noAnswer says why there is none. A refusal by a guarded client keeps its mark.
func (f *Failure) noAnswer(what, why string, err error) {
	var way *net.OpError
	if errors.As(err, &way) && way.Op == "dial" && way.Addr != nil {
		why = way.Addr.String() + " can't be reached: " + why
	}
	f.Is.Message = what + ": " + why
	_ = f.Is.WithHint("see that the store runs, and that endpoint and region are right")
	var cause *problem.Error
	if errors.As(err, &cause) {
		f.Is.Code, f.Is.Slug, f.Is.Hint, f.Is.Message, f.Is.Err = cause.Code, cause.Slug, cause.Hint, what+": "+cause.Message, err
		return
	}
	if strings.Contains(err.Error(), "get identity") || strings.Contains(err.Error(), "retrieve credentials") || strings.Contains(err.Error(), "get credentials") {
		f.Is.Code, f.Is.Slug, f.Is.Message = problem.Unauthorized, NoCredentials, what+": there are no usable credentials: "+why
		_ = f.Is.WithHint("give access_key and secret_key, credentials_file, or the machine a role")
	}
}

// judge says what a store's word means.
func (c *Client) judge(f *Failure, header http.Header) error {
	v, known := verdicts[f.code]
	switch {
	case known:
		f.Is.Code, f.Is.Slug, f.Is.Hint = v.code, v.slug, c.say(v.hint)
	case f.Status == http.StatusForbidden: // each store has words of its own
		v = verdicts["AccessDenied"]
		f.Is.Code, f.Is.Slug, f.Is.Hint = v.code, v.slug, c.say(v.hint)
	case f.Status == http.StatusMovedPermanently || f.Status == http.StatusTemporaryRedirect:
		f.Is.Slug = RegionWrong
		_ = f.Is.WithHint("%s", c.say("set {of} region"))
	case f.Status == http.StatusServiceUnavailable || f.Status == http.StatusTooManyRequests:
		f.Is.Code, f.Is.Slug = problem.Overloaded, StoreBusy
	}
	where := header.Get("X-Amz-Bucket-Region")
	switch {
	case where != "" && where != c.Options().Region:
		f.Is.Slug = RegionWrong
		_ = f.Is.WithHint("the bucket is in %s: set region: %s", where, where)
	case f.Is.Slug == ClockWrong:
		if there, err := http.ParseTime(header.Get("Date")); err == nil {
			f.Is.Message += fmt.Sprintf("; this machine's clock is %s off", time.Until(there).Abs().Round(time.Second))
		}
	}
	c.own(f)
	if v.dead {
		return retry.Permanent(f)
	}
	return f.wait(header)
}

// own has what only this machine's owner can mend be the fault of the surroundings
// where the bucket is a part of them: nobody who asks for a picture has it forbidden.
func (c *Client) own(f *Failure) {
	if !c.place.Words.Own {
		return
	}
	switch f.Is.Code {
	case problem.NotFound, problem.Forbidden, problem.Unauthorized, problem.Invalid:
		f.Is.Code = problem.Surroundings
	}
}

// say puts the words of the bucket's user into a next step.
func (c *Client) say(hint string) string {
	w := c.place.Words
	return strings.NewReplacer("{bucket}", w.Bucket, "{of}", w.Of, "{wait}", w.Wait, "{docs}", w.Docs).Replace(hint)
}

// wait obeys Retry-After.
func (f *Failure) wait(header http.Header) error {
	text := header.Get("Retry-After")
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
func (c *Client) clean(ctx context.Context, text string) string {
	hidden := []string{c.place.AccessKey.Reveal(), c.place.SecretKey.Reveal(), c.place.SessionToken.Reveal()}
	if provider := c.Options().Credentials; provider != nil {
		// They are remembered from the request: nothing is asked for.
		if found, err := provider.Retrieve(ctx); err == nil {
			hidden = append(hidden, found.AccessKeyID, found.SecretAccessKey, found.SessionToken)
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

func (c *Client) shown(ctx context.Context, h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range shownHeaders {
		if value := h.Get(name); value != "" {
			kept[name] = c.clean(ctx, value)
		}
	}
	return kept
}

// IsMissing reports whether an object or an upload is not there. A bucket that is
// not there is another fault.
func IsMissing(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Status == http.StatusNotFound && f.Is.Slug != BucketMissing
}

// IsForbidden reports whether the store refused, or did not say that there is none.
func IsForbidden(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Status == http.StatusForbidden
}
