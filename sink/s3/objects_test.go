package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/paths"
	"github.com/pictifyd/pictifyd/sink/s3"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

const immutable = "objects/{{ key }}/{{ output }}-{{ hash }}.{{ ext }}"

func TestHeadersAreStored(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) {
		c.Path, c.Alias = immutable, "now/{{ key }}.{{ ext }}"
		c.CacheControl = "public, max-age=31536000, immutable"
		c.ContentDisposition = `attachment; filename="{{ row.name }}.{{ ext }}"`
		c.Metadata = map[string]string{"sku": "{{ key }}", "city": "{{ row.city }}", "fixed": "yes"}
		c.Tags = map[string]string{"team": "shop", "name": "{{ row.name }}"}
	})
	d := sinktest.Completed("a", 1)
	d.Row = map[string]any{"name": `Größe "42"`, "city": "Köln"}
	mustDeliver(t, to, d)
	for key, cache := range map[string]string{"objects/a/card-hash-1.png": "public, max-age=31536000, immutable", "now/a.png": "no-cache"} {
		head := s.head(key)
		got := []string{aws.ToString(head.ContentType), aws.ToString(head.CacheControl), aws.ToString(head.ContentDisposition)}
		want := []string{"image/png", cache, `attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe%20%2242%22.png`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
		if diff := cmp.Diff(map[string]string{"pictifyd-sha256": "hash-1", "sku": "a", "city": "=?utf-8?q?K=C3=B6ln?=", "fixed": "yes"}, head.Metadata); diff != "" {
			t.Errorf("metadata of %s (-want +got):\n%s", key, diff)
		}
		tags, err := s.direct.GetObjectTagging(t.Context(), &awss3.GetObjectTaggingInput{Bucket: &s.bucket, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, tag := range tags.TagSet {
			found[*tag.Key] = *tag.Value
		}
		if diff := cmp.Diff(map[string]string{"team": "shop", "name": "Größe _42_"}, found); diff != "" {
			t.Errorf("tags of %s (-want +got):\n%s", key, diff)
		}
	}
}

func TestEachFormatHasItsContentType(t *testing.T) {
	s := newStore(t)
	to := s.sink(nil)
	d := sinktest.Completed("a", 1)
	d.Outputs = nil
	want := map[string]string{"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "pdf": "application/pdf", "tiff": "application/octet-stream"}
	for format := range want {
		d.Outputs = append(d.Outputs, sink.Output{Name: format, Hash: "h", Format: format, Ext: format})
	}
	mustDeliver(t, to, d)
	for format, is := range want {
		if got := aws.ToString(s.head("a-" + format + "." + format).ContentType); got != is {
			t.Errorf("%s is %s, want %s", format, got, is)
		}
	}
}

func TestKeysAreByteForByteWhatThePathSays(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) { c.Path = "Ordner ä/{{ key }}.{{ ext }}" })
	for key, want := range map[string]string{
		"K%C3%B6ln":                 "Ordner ä/Köln.png",
		"%E4%B8%AD%E6%96%87":        "Ordner ä/中文.png",
		"%F0%9F%96%BC":              "Ordner ä/🖼.png",
		"a%20b%2Bc%26d%3De%3Ff%23g": "Ordner ä/a b+c&d=e?f#g.png",
		"a%2Fb":                     "Ordner ä/a%2Fb.png",
		"%2E%2E%2Fx":                "Ordner ä/..%2Fx.png",
		"e%CC%81":                   "Ordner ä/%65%CC%81.png",
		"eu,K%C3%B6ln":              "Ordner ä/eu,Köln.png",
	} {
		receipt := mustDeliver(t, to, sinktest.Completed(key, 1))
		if receipt.Ref != want {
			t.Errorf("%s: the receipt says %q, want %q", key, receipt.Ref, want)
		}
		if keys := s.keys(); len(keys) != 1 || keys[0] != want {
			t.Errorf("%s: the store has %q, want %q", key, keys, want)
		}
		d := sinktest.Completed(key, 2)
		d.Event = sink.ImageRemoved
		mustDeliver(t, to, d)
		if keys := s.keys(); len(keys) != 0 {
			t.Errorf("%s: the store has %q after the removal", key, keys)
		}
	}
}

func TestKeysThatDifferByCaseAloneStayTwoObjects(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) { c.CaseInsensitive = true })
	for _, key := range []string{"sku", "SKU", "Sku"} {
		mustDeliver(t, to, sinktest.Completed(key, 1))
	}
	keys := s.keys()
	for i := range keys {
		keys[i] = strings.ToLower(keys[i])
	}
	slices.Sort(keys)
	if distinct := slices.Compact(slices.Clone(keys)); len(distinct) != 3 {
		t.Errorf("of three keys a store without case has %q", keys)
	}
}

func TestTooLongKeyIsRefusedForGood(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) {
		c.Path = "{{ keys[0] }}/{{ keys[1] }}/{{ keys[2] }}/{{ keys[3] }}/{{ keys[4] }}.png"
	})
	long := strings.Repeat("x", 204) + ","
	if _, err := to.Deliver(t.Context(), sinktest.Completed(strings.Repeat(long, 4)+strings.Repeat("x", 201), 1)); !retry.IsPermanent(err) {
		t.Errorf("of 1,025 bytes: %v, want a permanent %s", err, paths.Refused)
	}
	mustDeliver(t, to, sinktest.Completed(strings.Repeat(long, 4)+strings.Repeat("x", 200), 1))
	if keys := s.keys(); len(keys) != 1 || len(keys[0]) != 1024 {
		t.Errorf("the store has %q", keys)
	}
}

func TestAliasesAreWrittenLast(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) { c.Path, c.Alias = immutable, "now/{{ key }}-{{ output }}.{{ ext }}" })
	d := sinktest.Completed("a", 1)
	d.Outputs = append(d.Outputs, sink.Output{Name: "story", Hash: "hash-s", Format: "jpeg", Ext: "jpg"}, sink.Output{Name: "wide", Code: "x", Error: "404"})
	mustDeliver(t, to, d)
	want := []string{
		"PUT objects/a/card-hash-1.png 200", "PUT objects/a/story-hash-s.jpg 200",
		"PUT now/a-card.png 200", "PUT now/a-story.jpg 200",
	}
	if diff := cmp.Diff(want, s.heard()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// While one object of the row is missing no alias moves.
func TestNoAliasMovesBeforeEveryObjectIsThere(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) { c.Path, c.Alias = immutable, "now/{{ key }}-{{ output }}.{{ ext }}" })
	mustDeliver(t, to, sinktest.Completed("a", 1))
	d := sinktest.Completed("a", 2)
	d.Outputs = append(d.Outputs, sink.Output{Name: "story", Hash: "hash-s", Format: "jpeg", Ext: "jpg"})
	broken := says(503, "SlowDown", "slow")
	s.breaks(func(w http_, r *request, next handler) bool {
		return strings.Contains(r.URL.Path, "story") && broken(w, r, next)
	})
	if _, err := to.Deliver(t.Context(), d); err == nil {
		t.Fatal("it was delivered")
	}
	if now := sinktest.HashOf(s.objects()["now/a-card.png"]); now != "hash-1" {
		t.Errorf("the alias shows %s, want hash-1", now)
	}
	s.breaks(nil)
	d.Attempt = 2
	mustDeliver(t, to, d)
	if now := sinktest.HashOf(s.objects()["now/a-card.png"]); now != "hash-2" {
		t.Errorf("the alias shows %s, want hash-2", now)
	}
}

func TestWhatIsThereIsNotSentAgain(t *testing.T) {
	for name, path := range map[string]string{"immutable": immutable, "of the row": "objects/{{ key }}.{{ ext }}"} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			to := s.sink(func(c *s3.Config) { c.Path = path })
			d := sinktest.Completed("a", 1)
			mustDeliver(t, to, d)
			s.heard()
			d.Attempt = 2
			mustDeliver(t, to, d)
			if asked := s.heard(); len(asked) != 1 || !strings.HasPrefix(asked[0], "HEAD ") {
				t.Errorf("a second try asked %q, want one look", asked)
			}
		})
	}
}

// Another row with the same picture meets its object, and looks whether it is right.
func TestObjectOfAnotherRowIsTakenAsItIs(t *testing.T) {
	s := newStore(t)
	to := s.sink(func(c *s3.Config) { c.Path = "objects/{{ hash }}.{{ ext }}" })
	mustDeliver(t, to, sinktest.Completed("a", 1))
	before := s.head("objects/hash-1.png").LastModified
	s.heard()
	mustDeliver(t, to, sinktest.Completed("b", 1))
	if diff := cmp.Diff([]string{"PUT objects/hash-1.png 412", "HEAD objects/hash-1.png 200"}, s.heard()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if after := s.head("objects/hash-1.png").LastModified; !after.Equal(*before) {
		t.Error("it was written again")
	}
}

func TestBrokenObjectIsPutAgain(t *testing.T) {
	for name, change := range map[string]func(*awss3.PutObjectInput){
		"other bytes":      func(in *awss3.PutObjectInput) { in.Body = strings.NewReader("picture hash-X") },
		"half of it":       func(in *awss3.PutObjectInput) { in.Body = strings.NewReader("pict") },
		"of somebody else": func(in *awss3.PutObjectInput) { in.Metadata = nil },
		"other headers":    func(in *awss3.PutObjectInput) { in.CacheControl = aws.String("no-store") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			in := &awss3.PutObjectInput{
				Bucket: &s.bucket, Key: aws.String("objects/a/card-hash-1.png"), Body: bytes.NewReader(sinktest.Picture("hash-1")),
				ContentType: aws.String("image/png"), CacheControl: aws.String("public"), Metadata: map[string]string{"pictifyd-sha256": "hash-1"},
			}
			change(in)
			if _, err := s.direct.PutObject(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			mustDeliver(t, s.sink(func(c *s3.Config) { c.Path, c.CacheControl = immutable, "public" }), sinktest.Completed("a", 1))
			head := s.head("objects/a/card-hash-1.png")
			if got := sinktest.HashOf(s.objects()["objects/a/card-hash-1.png"]); got != "hash-1" || aws.ToString(head.CacheControl) != "public" || head.Metadata["pictifyd-sha256"] != "hash-1" {
				t.Errorf("the store has %s with %q, %v", got, aws.ToString(head.CacheControl), head.Metadata)
			}
		})
	}
}

func TestRemovalTakesObjectAndAlias(t *testing.T) {
	for path, left := range map[string][]string{
		immutable:                              {"now/b.png", "objects/b/card-hash-1.png"},
		"objects/{{ key }}.{{ ext }}":          {"now/b.png", "objects/b.png"},
		"objects/{{ hash }}.{{ ext }}":         {"now/b.png", "objects/hash-1.png"}, // b shows it too
		"{{ binding }}/{{ hash }}.{{ ext }}":   {"cards/hash-1.png", "now/b.png"},
		"objects/{{ row.id }}-{{hash}}":        {"now/b.png", "objects/b-hash-1"},
		"objects/{{ keys[0] }}/{{ hash }}.png": {"now/b.png", "objects/b/hash-1.png"},
	} {
		t.Run(path, func(t *testing.T) {
			s := newStore(t)
			to := s.sink(func(c *s3.Config) { c.Path, c.Alias = path, "now/{{ key }}.{{ ext }}" })
			mustDeliver(t, to, sinktest.Completed("a", 1))
			mustDeliver(t, to, sinktest.Completed("b", 1))
			d := sinktest.Completed("a", 2)
			d.Event, d.Outputs[0].Hash = sink.ImageRemoved, "hash-1"
			s.heard()
			mustDeliver(t, to, d)
			if asked := s.heard(); len(asked) == 0 || asked[0] != "DELETE now/a.png 204" {
				t.Errorf("the removal asked %q, want the alias first", asked)
			}
			if diff := cmp.Diff(left, s.keys()); diff != "" {
				t.Errorf("what stays (-want +got):\n%s", diff)
			}
			mustDeliver(t, to, d) // missing is what was wanted
		})
	}
}

// large is a picture that is sent in parts, with its real hash.
func large(size int) (data []byte, hash string) {
	data = make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:])
}

func opens(data []byte) func(context.Context, string) (io.ReadCloser, error) {
	return func(context.Context, string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

const part = 5 << 20

func inParts(c *s3.Config) { c.PartSize = config.Bytes(part) }

func TestLargePictureIsSentInParts(t *testing.T) {
	for _, size := range []int{2*part + 12345, 2 * part, part + 1} {
		s := newStore(t)
		data, hash := large(size)
		to := mustOpen(t, s.config(func(c *s3.Config) { inParts(c); c.CacheControl = "no-store" }), opens(data))
		d := sinktest.Completed("a", 1)
		d.Outputs[0].Hash, d.Outputs[0].Format, d.Outputs[0].Ext = hash, "pdf", "pdf"
		mustDeliver(t, to, d)
		head := s.head("a-card.pdf")
		parts := "-" + string(rune('0'+(size+part-1)/part))
		if !strings.HasSuffix(strings.Trim(*head.ETag, `"`), parts) || *head.ContentType != "application/pdf" || *head.CacheControl != "no-store" || head.Metadata["pictifyd-sha256"] != hash {
			t.Errorf("%d bytes: ETag %s, want %s; %s, %s, %v", size, *head.ETag, parts, *head.ContentType, *head.CacheControl, head.Metadata)
		}
		if !bytes.Equal(s.objects()["a-card.pdf"], data) {
			t.Errorf("%d bytes: the store has other bytes", size)
		}
		s.heard()
		mustDeliver(t, to, d)
		if asked := s.heard(); len(asked) != 1 || asked[0] != "HEAD a-card.pdf 200" {
			t.Errorf("%d bytes: again asked %q, want one look", size, asked)
		}
	}
	s := newStore(t)
	data, hash := large(part)
	d := sinktest.Completed("a", 1)
	d.Outputs[0].Hash = hash
	mustDeliver(t, mustOpen(t, s.config(inParts), opens(data)), d)
	if diff := cmp.Diff([]string{"PUT a-card.png 200"}, s.heard()); diff != "" {
		t.Errorf("of one part (-want +got):\n%s", diff)
	}
}

// unfinished are the uploads in parts that a bucket keeps.
func (s *store) unfinished() int {
	s.tb.Helper()
	out, err := s.direct.ListMultipartUploads(s.tb.Context(), &awss3.ListMultipartUploadsInput{Bucket: &s.bucket})
	if err != nil {
		s.tb.Fatal(err)
	}
	return len(out.Uploads)
}

func TestUploadInPartsThatFailsLeavesNothing(t *testing.T) {
	s := newStore(t)
	data, hash := large(3 * part)
	d := sinktest.Completed("a", 1)
	d.Outputs[0].Hash = hash
	to := mustOpen(t, s.config(inParts), opens(data))
	s.breaks(on("PUT", 9, func(w http_, r *request, next handler) bool {
		return r.URL.Query().Get("partNumber") == "2" && says(500, "InternalError", "no")(w, r, next)
	}))
	if _, err := to.Deliver(t.Context(), d); err == nil || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want an error that is not permanent", err)
	}
	if n, keys := s.unfinished(), s.keys(); n != 0 || len(keys) != 0 {
		t.Errorf("there are %d uploads and %q, want nothing", n, keys)
	}
	s.breaks(nil)
	mustDeliver(t, to, d)
	if !bytes.Equal(s.objects()["a-card.png"], data) {
		t.Error("the store has other bytes")
	}
}

// A disk that forgot gives bytes that are not the picture.
func TestBytesThatAreNotThePictureAreNotSent(t *testing.T) {
	for name, size := range map[string]int{"at once": 1000, "in parts": 2 * part} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			data, _ := large(size)
			_, other := large(size + 1)
			d := sinktest.Completed("a", 1)
			d.Outputs[0].Hash = other
			_, err := mustOpen(t, s.config(inParts), opens(data)).Deliver(t.Context(), d)
			if slug(err) != s3.BytesDiffer || retry.IsPermanent(err) {
				t.Errorf("deliver = %v, want %s", err, s3.BytesDiffer)
			}
			if keys := s.keys(); len(keys) != 0 || s.unfinished() != 0 {
				t.Errorf("the store has %q", keys)
			}
		})
	}
}

func TestHostileValuesAreSentOrRefused(t *testing.T) {
	for place, change := range map[string]func(c *s3.Config){
		"path":                func(c *s3.Config) { c.Path = "{{ row.v }}/{{ key }}" },
		"alias":               func(c *s3.Config) { c.Path, c.Alias = immutable, "now/{{ key }}-{{ row.v }}" },
		"metadata":            func(c *s3.Config) { c.Metadata = map[string]string{"v": "{{ row.v }}"} },
		"tags":                func(c *s3.Config) { c.Tags = map[string]string{"v": "{{ row.v }}"} },
		"content_disposition": func(c *s3.Config) { c.ContentDisposition = `attachment; filename="{{ row.v }}.{{ ext }}"` },
	} {
		t.Run(place, func(t *testing.T) { sinktest.Hostile(t, newStore(t).sink(change)) })
	}
}
