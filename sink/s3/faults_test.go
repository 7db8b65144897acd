package s3_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/s3"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

type (
	http_   = http.ResponseWriter
	request = http.Request
	handler = http.Handler
)

func slug(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Slug
	}
	return ""
}

// Whatever happens on the way: no alias shows a picture whose object was not proved,
// and in the end there is one object, with the right bytes, under each key.
func TestFaultsOnTheWayHaveOneEffect(t *testing.T) {
	for name, c := range map[string]struct {
		fault fault
		wants string // the slug of the first try; "" for one that may come through
	}{
		"503 SlowDown":                     {on("PUT", 1, says(503, "SlowDown", "Please reduce your request rate.")), s3.StoreBusy},
		"500":                              {on("PUT", 1, says(500, "InternalError", "We encountered an internal error.")), s3.DeliveryFailed},
		"done, and the answer is lost":     {on("PUT", 1, swallows), ""},
		"done, and all answers are lost":   {on("PUT", 9, swallows), s3.DeliveryFailed},
		"done, and the answer is too late": {on("PUT", 1, late), s3.DeliveryFailed},
		"cut in the middle of the body":    {on("PUT", 9, cuts), s3.DeliveryFailed},
		"a connection that is closed once": {on("PUT", 1, cuts), ""},
		"a byte changes on the way":        {on("PUT", 1, spoils), s3.DeliveryFailed},
		"the bucket is gone":               {on("PUT", 1, says(404, "NoSuchBucket", "The specified bucket does not exist")), s3.BucketMissing},
		"credentials expire":               {on("PUT", 1, says(400, "ExpiredToken", "The provided token has expired.")), s3.CredentialsRefused},
		"not allowed":                      {on("PUT", 1, says(403, "AccessDenied", "Access Denied")), s3.AccessDenied},
		"a page of a proxy": {on("PUT", 1, func(w http_, _ *request, _ handler) bool {
			http.Error(w, "<html>Bad gateway", http.StatusBadGateway)
			return true
		}), s3.DeliveryFailed},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			to := s.sink(func(c *s3.Config) {
				c.Path, c.Alias, c.Timeout = immutable, "now/{{ key }}.{{ ext }}", config.Duration(4*time.Second)
			})
			mustDeliver(t, to, sinktest.Completed("a", 1))
			s.breaks(c.fault)
			d := sinktest.Completed("a", 2)
			_, err := to.Deliver(t.Context(), d)
			if c.wants == "" && err != nil || c.wants != "" && (slug(err) != c.wants || retry.IsPermanent(err)) {
				t.Errorf("deliver = %v (%s), want %q, not permanent", err, slug(err), c.wants)
			}
			if now := sinktest.HashOf(s.objects()["now/a.png"]); err != nil && now != "hash-1" {
				t.Errorf("the alias shows %q, and the delivery has not ended", now)
			}
			s.breaks(nil)
			d.Attempt = 2
			mustDeliver(t, to, d)
			got := map[string]string{}
			for key, data := range s.objects() {
				got[key] = sinktest.HashOf(data)
			}
			if len(got) != 3 || got["objects/a/card-hash-1.png"] != "hash-1" || got["objects/a/card-hash-2.png"] != "hash-2" || got["now/a.png"] != "hash-2" {
				t.Errorf("in the end there is %v", got)
			}
		})
	}
}

// The end of an upload in parts that was not heard of is found by the next try.
func TestEndOfAnUploadThatWasNotHeardOf(t *testing.T) {
	s := newStore(t)
	data, hash := large(2 * part)
	d := sinktest.Completed("a", 1)
	d.Outputs[0].Hash = hash
	to := mustOpen(t, s.config(func(c *s3.Config) { inParts(c); c.Timeout = config.Duration(5 * time.Second) }), opens(data))
	s.breaks(func(w http_, r *request, next handler) bool {
		return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && swallows(w, r, next)
	})
	if _, err := to.Deliver(t.Context(), d); err == nil {
		t.Fatal("it ended")
	}
	s.breaks(nil)
	s.heard()
	d.Attempt = 2
	mustDeliver(t, to, d)
	if asked := s.heard(); len(asked) != 1 || asked[0] != "HEAD a-card.png 200" {
		t.Errorf("the second try asked %q, want one look", asked)
	}
	if s.unfinished() != 0 {
		t.Error("an upload is left")
	}
}

func TestBucketThatIsGoneAndComesBack(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) { c.Path = immutable })
	if _, err := s.direct.DeleteBucket(t.Context(), &awss3.DeleteBucketInput{Bucket: &s.bucket}); err != nil {
		t.Fatal(err)
	}
	d := sinktest.Completed("a", 1)
	for range 2 {
		_, err := to.Deliver(t.Context(), d)
		if slug(err) != s3.BucketMissing || retry.IsPermanent(err) || !strings.Contains(err.Error(), s.bucket) {
			t.Errorf("deliver = %v, want %s, not permanent", err, s3.BucketMissing)
		}
		d.Attempt = 2
	}
	d.Event = sink.ImageRemoved
	if _, err := to.Deliver(t.Context(), d); slug(err) != s3.BucketMissing {
		t.Errorf("remove = %v, want %s", err, s3.BucketMissing)
	}
	if err := to.(sink.Prober).Probe(t.Context()); slug(err) != s3.BucketMissing {
		t.Errorf("probe = %v, want %s", err, s3.BucketMissing)
	}
	if _, err := s.direct.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &s.bucket}); err != nil {
		t.Fatal(err)
	}
	d.Event = sink.RenderCompleted
	mustDeliver(t, to, d)
	if err := to.(sink.Prober).Probe(t.Context()); err != nil {
		t.Errorf("probe = %v", err)
	}
}

func TestWrongCredentialsAreSaidWithoutThem(t *testing.T) {
	s := newStore(t)
	for name, change := range map[string]func(*s3.Config){
		"secret": func(c *s3.Config) { c.SecretKey = config.NewSecret("hunter2-wrong-secret") },
		"id":     func(c *s3.Config) { c.AccessKey = config.NewSecret("hunter2-wrong-id") },
	} {
		to := s.sink(change)
		_, err := to.Deliver(t.Context(), sinktest.Completed("a", 1))
		if slug(err) != s3.CredentialsRefused || retry.IsPermanent(err) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: deliver = %v, want %s", name, err, s3.CredentialsRefused)
		}
		if err := to.(sink.Prober).Probe(t.Context()); slug(err) != s3.CredentialsRefused || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: probe = %v, want %s", name, err, s3.CredentialsRefused)
		}
	}
}

func TestStoreThatRepeatsCredentialsShowsNone(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) {
		c.AccessKey, c.SecretKey, c.SessionToken = config.NewSecret("hunter2-id"), config.NewSecret("hunter2-secret"), config.NewSecret("hunter2-token")
	})
	for _, status := range []int{400, 403, 503} {
		s.breaks(says(status, "hunter2-id", "hunter2-id hunter2-secret hunter2-token", "X-Amz-Request-Id", "hunter2-id", "X-Amz-Id-2", "hunter2-token"))
		receipt, err := to.Deliver(t.Context(), sinktest.Completed("a", 1))
		if said := fmt.Sprintf("%+v %v", receipt, err); strings.Contains(said, "hunter2") || !strings.Contains(said, "***") {
			t.Errorf("%d: %s", status, said)
		}
	}
}

// What a store says is told with what to do, and only what is of the row is given up.
func TestWordsOfAStore(t *testing.T) {
	s := newStore(t)
	to := s.sink(nil)
	for _, c := range []struct {
		fault     fault
		slug      string
		hint      string
		permanent bool
	}{
		{says(403, "AccessDenied", "Access Denied"), s3.AccessDenied, "policy", false},
		{says(403, "OwnWord", "of this store"), s3.AccessDenied, "policy", false},
		{says(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."), s3.CredentialsRefused, "not deleted", false},
		{says(400, "ExpiredToken", "The provided token has expired."), s3.CredentialsRefused, "expired", false},
		{says(403, "RequestTimeTooSkewed", "The difference is too large.", "Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)), s3.ClockWrong, "1h0m", false},
		{says(301, "PermanentRedirect", "The bucket must be addressed using the specified endpoint.", "X-Amz-Bucket-Region", "eu-central-1"), s3.RegionWrong, "set region: eu-central-1", false},
		{says(400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong", "X-Amz-Bucket-Region", "ap-south-1"), s3.RegionWrong, "set region: ap-south-1", false},
		{says(307, "TemporaryRedirect", "Please re-send this request."), s3.RegionWrong, "set the sink's region", false},
		{says(400, "AccessControlListNotSupported", "The bucket does not allow ACLs"), s3.SettingRefused, "acl", false},
		{says(400, "InvalidStorageClass", "no"), s3.SettingRefused, "storage_class", false},
		{says(400, "KMS.NotFoundException", "no"), s3.SettingRefused, "kms_key", false},
		{says(404, "NoSuchBucket", "no"), s3.BucketMissing, "make the bucket", false},
		{says(429, "TooManyRequests", "slow"), s3.StoreBusy, "", false},
		{says(503, "", ""), s3.StoreBusy, "", false},
		{says(400, "BadDigest", "The Content-MD5 you specified did not match"), s3.DeliveryFailed, "", false},
		{says(418, "NewFault", "nobody knew"), s3.DeliveryFailed, "", false},
		{says(400, "KeyTooLongError", "Your key is too long"), s3.ObjectRefused, "shorten", true},
		{says(400, "MetadataTooLarge", "too large"), s3.ObjectRefused, "metadata", true},
		{says(400, "InvalidTag", "no"), s3.ObjectRefused, "tags", true},
	} {
		s.breaks(c.fault)
		receipt, err := to.Deliver(t.Context(), sinktest.Completed("a", 1))
		if slug(err) != c.slug || !strings.Contains(fmt.Sprint(err), c.hint) || retry.IsPermanent(err) != c.permanent || sink.IsGone(err) {
			t.Errorf("%v: slug %q, permanent %v; want %q, %q, %v", err, slug(err), retry.IsPermanent(err), c.slug, c.hint, c.permanent)
		}
		if receipt.Status < 300 || receipt.Ref != "a-card.png" {
			t.Errorf("%v: the receipt is %+v", err, receipt)
		}
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	s := newStore(t)
	to := s.sink(nil)
	for text, want := range map[string]time.Duration{
		"120":       2 * time.Minute,
		"999999999": 24 * time.Hour,
		"0":         0,
		"-1":        0,
		"soon":      0,
	} {
		s.breaks(says(503, "SlowDown", "slow", "Retry-After", text))
		_, err := to.Deliver(t.Context(), sinktest.Completed("a", 1))
		if got, _ := retry.Wait(err); got != want {
			t.Errorf("%q waits %v, want %v", text, got, want)
		}
	}
	s.breaks(says(503, "SlowDown", "slow", "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)))
	_, err := to.Deliver(t.Context(), sinktest.Completed("a", 1))
	if got, _ := retry.Wait(err); got < 58*time.Minute || got > time.Hour {
		t.Errorf("in an hour waits %v", got)
	}
}

// A store that does not know If-None-Match gets on without it, from then on.
func TestStoreWithoutConditions(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) { c.Path = immutable })
	refuses := says(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
	s.breaks(func(w http_, r *request, next handler) bool {
		return r.Header.Get("If-None-Match") != "" && refuses(w, r, next)
	})
	mustDeliver(t, to, sinktest.Completed("a", 1))
	mustDeliver(t, to, sinktest.Completed("a", 2))
	if got := s.heard(); len(got) != 3 {
		t.Errorf("it asked %q, want three requests", got)
	}
	if keys := s.keys(); len(keys) != 2 {
		t.Errorf("the store has %q", keys)
	}
}

// Without s3:ListBucket and s3:GetObject a look answers 403: then it is sent.
func TestStoreThatDoesNotLetLook(t *testing.T) {
	s := newStore(t)
	to := s.sink(nil)
	s.breaks(on("HEAD", 9, says(403, "", "")))
	d := sinktest.Completed("a", 1)
	d.Attempt = 2
	mustDeliver(t, to, d)
	if got := sinktest.HashOf(s.objects()["a-card.png"]); got != "hash-1" {
		t.Errorf("the store has %q", got)
	}
}
