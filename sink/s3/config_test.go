package s3_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/s3"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

func good() *s3.Config {
	c := s3.Kind.Config().(*s3.Config)
	c.Bucket, c.Path, c.Region = "cards", immutable, "eu-central-1"
	c.AccessKey, c.SecretKey = config.NewSecret("an-id-of-letters"), config.NewSecret("a-secret-of-letters")
	return c
}

func TestValidateRefusesWhatCannotWork(t *testing.T) {
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*s3.Config)
		path   string
		want   string
	}{
		"no bucket":                   {func(c *s3.Config) { c.Bucket = "" }, "bucket", "is missing"},
		"an address for a bucket":     {func(c *s3.Config) { c.Bucket = "s3://cards/x" }, "bucket", "without s3://"},
		"an ARN for a bucket":         {func(c *s3.Config) { c.Bucket = "arn:aws:s3:::cards" }, "bucket", "is an ARN"},
		"a host in a bucket":          {func(c *s3.Config) { c.Bucket = "a@b.example/" }, "bucket", "is not a bucket's name"},
		"no path":                     {func(c *s3.Config) { c.Path = "" }, "path", "is the same for every row"},
		"one path":                    {func(c *s3.Config) { c.Path = "x.png" }, "path", "is the same for every row"},
		"a path that begins with /":   {func(c *s3.Config) { c.Path = "/{{ key }}" }, "path", "a part of it is empty"},
		"a long path":                 {func(c *s3.Config) { c.Path = strings.Repeat("x", 1024) + "{{ key }}" }, "path", "longer than 1024 bytes"},
		"an alias by hash":            {func(c *s3.Config) { c.Alias = "{{ key }}-{{ hash }}" }, "alias", "reads hash"},
		"one alias":                   {func(c *s3.Config) { c.Alias = "now.png" }, "alias", "is the same for every row"},
		"alias and path":              {func(c *s3.Config) { c.Path, c.Alias = "{{ key }}", "{{ key }}" }, "alias", "is the same as path"},
		"no region":                   {func(c *s3.Config) { c.Region = "" }, "region", "is missing"},
		"a host for a region":         {func(c *s3.Config) { c.Region = "x.evil.example/" }, "region", "is not a region"},
		"an endpoint that is none":    {func(c *s3.Config) { c.Endpoint = "s3.example" }, "endpoint", "is not an http or https address"},
		"an endpoint with a password": {func(c *s3.Config) { c.Endpoint = "https://a:b@s3.example" }, "endpoint", "is not an http or https address"},
		"an endpoint with the bucket": {func(c *s3.Config) { c.Endpoint = "https://s3.example/cards/" }, "endpoint", "has the bucket in it"},
		"an id alone":                 {func(c *s3.Config) { c.SecretKey = config.Secret{} }, "secret_key", "is missing beside access_key"},
		"a secret alone":              {func(c *s3.Config) { c.AccessKey = config.Secret{} }, "access_key", "is missing beside secret_key"},
		"a token alone": {func(c *s3.Config) {
			c.AccessKey, c.SecretKey, c.SessionToken = config.Secret{}, config.Secret{}, config.NewSecret("token")
		}, "session_token", "stands without"},
		"keys and a file":        {func(c *s3.Config) { c.CredentialsFile = "a" }, "access_key", "stands beside credentials_file"},
		"a line end in a key":    {func(c *s3.Config) { c.SecretKey = config.NewSecret("abc\n") }, "secret_key", "white space"},
		"an ACL":                 {func(c *s3.Config) { c.ACL = "public-reed" }, "acl", `did you mean "public-read"?`},
		"an encryption":          {func(c *s3.Config) { c.SSE = "AES265" }, "sse", `did you mean "AES256"?`},
		"a storage class":        {func(c *s3.Config) { c.StorageClass = "STANDARD_AI" }, "storage_class", `did you mean "STANDARD_IA"?`},
		"a class of another":     {func(c *s3.Config) { c.Endpoint, c.StorageClass = "https://s3.example", "a b" }, "storage_class", "is not a storage class"},
		"a key without KMS":      {func(c *s3.Config) { c.SSE, c.KMSKey = "AES256", "k" }, "kms_key", "stands without sse: aws:kms"},
		"a header of two lines":  {func(c *s3.Config) { c.CacheControl = "no-store\nX: y" }, "cache_control", "can't stand in a header"},
		"a disposition":          {func(c *s3.Config) { c.ContentDisposition = "{{ key }}" }, "content_disposition", "is not a Content-Disposition"},
		"a disposition unquoted": {func(c *s3.Config) { c.ContentDisposition = "attachment; filename={{ key }}" }, "content_disposition", "is not a Content-Disposition"},
		"an unknown name":        {func(c *s3.Config) { c.ContentDisposition = `inline; filename="{{ kee }}"` }, "content_disposition", "kee"},
		"metadata by our name":   {func(c *s3.Config) { c.Metadata = map[string]string{"pictifyd-sha256": "x"} }, "metadata", "can't be a name here"},
		"metadata in capitals":   {func(c *s3.Config) { c.Metadata = map[string]string{"A": "x"} }, "metadata", "can't be a name here"},
		"metadata that is wrong": {func(c *s3.Config) { c.Metadata = map[string]string{"a": "{{ x }}"} }, "metadata.a", `unknown variable "x"`},
		"tags that are wrong":    {func(c *s3.Config) { c.Tags = map[string]string{"a": "{{ x"} }, "tags.a", "{{ is not closed"},
		"eleven tags": {func(c *s3.Config) {
			c.Tags = map[string]string{}
			for _, name := range strings.Fields("a b c d e f g h i j k") {
				c.Tags[name] = "x"
			}
		}, "tags", "at most 10 tags"},
		"no time":     {func(c *s3.Config) { c.Timeout = 0 }, "timeout", "longer than nothing"},
		"small parts": {func(c *s3.Config) { c.PartSize = 1 << 20 }, "part_size", "between 5MiB and 1GiB"},
		"large parts": {func(c *s3.Config) { c.PartSize = 2 << 30 }, "part_size", "between 5MiB and 1GiB"},
		"an event":    {func(c *s3.Config) { c.Events = config.Strings{"x"} }, "events[0]", "is not an event"},
	} {
		cfg := good()
		c.change(cfg)
		if said := problem.All(cfg.Validate()); cfg.Validate() == nil || len(said) != 1 || said[0].Path != c.path || !strings.Contains(said[0].Error(), c.want) {
			t.Errorf("%s: %v, want %s: %q", name, said, c.path, c.want)
		}
	}
}

func TestOutputsWithOnePathAreRefused(t *testing.T) {
	outputs := []sink.Output{{Name: "card", Format: "png", Ext: "png"}, {Name: "story", Format: "png", Ext: "png"}}
	for _, c := range []struct{ path, alias, want string }{
		{"{{ key }}.{{ ext }}", "", `"card" and "story" have the same path`},
		{immutable, "now/{{ key }}.{{ ext }}", `"card" and "story" have the same alias`},
		{immutable, "now/{{ key }}-{{ output }}.{{ ext }}", ""},
		{immutable, "", ""},
	} {
		cfg := good()
		cfg.Path, cfg.Alias = c.path, c.alias
		if err := cfg.CheckOutputs(outputs); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, %s: %v, want %q", c.path, c.alias, err, c.want)
		}
	}
}

// A recorder answers as a store that takes everything, and keeps the requests. A
// real one does not know every header of Amazon's.
type recorder struct {
	*httptest.Server

	mu   sync.Mutex
	seen []*http.Request
}

func newRecorder(tb testing.TB, answer http.HandlerFunc) *recorder {
	tb.Helper()
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.seen = append(r.seen, req)
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
			return
		}
		data, _ := io.ReadAll(req.Body)
		w.Header().Set("ETag", `"`+md5Of(data)+`"`)
	}))
	tb.Cleanup(r.Close)
	return r
}

func (r *recorder) requests() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func TestSettingsOfAnObjectAreSent(t *testing.T) {
	r := newRecorder(t, nil)
	c := good()
	c.Endpoint, c.ACL, c.SSE, c.KMSKey, c.StorageClass = r.URL, "public-read", "aws:kms", "arn:aws:kms:x", "STANDARD_IA"
	c.SessionToken = config.NewSecret("a-token")
	mustDeliver(t, mustOpen(t, c, sinktest.OpenPicture), sinktest.Completed("a", 1))
	seen := r.requests()
	if len(seen) != 1 {
		t.Fatalf("%d requests, want 1", len(seen))
	}
	h := seen[0].Header
	for name, want := range map[string]string{
		"X-Amz-Acl": "public-read", "X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "arn:aws:kms:x",
		"X-Amz-Storage-Class": "STANDARD_IA", "Content-Type": "image/png", "If-None-Match": "*", "X-Amz-Security-Token": "a-token",
		"Content-Encoding": "", "X-Amz-Trailer": "", "X-Amz-Sdk-Checksum-Algorithm": "", "X-Amz-Checksum-Crc32": "", "X-Amz-Checksum-Sha256": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if h.Get("Content-Md5") == "" || !strings.Contains(h.Get("Authorization"), "/eu-central-1/s3/") {
		t.Errorf("the headers are %v", h)
	}
	if seen[0].URL.Path != "/cards/objects/a/card-hash-1.png" {
		t.Errorf("the path is %s", seen[0].URL.Path)
	}
}

// A store that answers with no digest, or another, is asked for what it has.
func TestWithoutADigestTheObjectIsReadBack(t *testing.T) {
	for name, c := range map[string]struct {
		etag  string
		holds string
		slug  string
	}{
		"none, and right":          {"", "picture hash-1", ""},
		"of another kind":          {`"abc-1"`, "picture hash-1", ""},
		"another, and right":       {`"00112233445566778899aabbccddeeff"`, "picture hash-1", ""},
		"another, and other bytes": {`"00112233445566778899aabbccddeeff"`, "picture hash-2", s3.BytesDiffer},
		"none, and half of it":     {"", "pict", s3.BytesDiffer},
	} {
		r := newRecorder(t, func(w http.ResponseWriter, req *http.Request) {
			if c.etag != "" {
				w.Header().Set("ETag", c.etag)
			}
			if req.Method == http.MethodGet {
				_, _ = io.WriteString(w, c.holds)
			}
		})
		cfg := good()
		cfg.Endpoint, cfg.Alias = r.URL, "now/{{ key }}.png"
		_, err := mustOpen(t, cfg, sinktest.OpenPicture).Deliver(t.Context(), sinktest.Completed("a", 1))
		if slug(err) != c.slug || retry.IsPermanent(err) {
			t.Errorf("%s: %v, want %q", name, err, c.slug)
		}
		for _, req := range r.requests() {
			if c.slug != "" && strings.Contains(req.URL.Path, "/now/") {
				t.Errorf("%s: the alias was written", name)
			}
		}
	}
}

func TestRowsThatMakeNoHeader(t *testing.T) {
	r := newRecorder(t, nil)
	for name, change := range map[string]func(*s3.Config){
		"an empty name": func(c *s3.Config) { c.ContentDisposition = `attachment; filename="{{ row.none }}"` },
		"much metadata": func(c *s3.Config) { c.Metadata = map[string]string{"a": `{{ row.long }}`} },
		"an empty tag":  func(c *s3.Config) { c.Tags = map[string]string{"a": `{{ row.none }}`} },
	} {
		cfg := good()
		cfg.Endpoint = r.URL
		change(cfg)
		d := sinktest.Completed("a", 1)
		d.Row = map[string]any{"long": strings.Repeat("x", 3000)}
		if _, err := mustOpen(t, cfg, sinktest.OpenPicture).Deliver(t.Context(), d); slug(err) != s3.HeaderRefused || !retry.IsPermanent(err) {
			t.Errorf("%s: %v, want a permanent %s", name, err, s3.HeaderRefused)
		}
	}
	cfg := good()
	cfg.Endpoint, cfg.ContentDisposition = r.URL, `attachment; filename="{{ row.name }}"`
	cfg.Metadata = map[string]string{"name": "{{ row.name }}"}
	d := sinktest.Completed("a", 1)
	d.Row = map[string]any{"name": "a\r\nX-Evil: 1\x00\"; filename=\"b"}
	mustDeliver(t, mustOpen(t, cfg, sinktest.OpenPicture), d)
	seen := r.requests()
	h := seen[len(seen)-1].Header
	if h.Get("X-Evil") != "" || !strings.Contains(h.Get("Content-Disposition"), "a__X-Evil: 1_") || strings.Contains(h.Get("X-Amz-Meta-Name"), "\n") {
		t.Errorf("the headers are %v", h)
	}
}

// clearEnvironment has the machine's own credentials be none.
func clearEnvironment(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

const sharedFile = "[default]\naws_access_key_id = id-of-default\naws_secret_access_key = secret\n\n[shop]\naws_access_key_id = id-of-shop\naws_secret_access_key = secret\n"

func TestCredentialsAreFoundWhereTheToolsOfAWSFindThem(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, home string, c *s3.Config)
		want    string
	}{
		"in the environment": {func(t *testing.T, _ string, _ *s3.Config) {
			t.Setenv("AWS_ACCESS_KEY_ID", "id-of-environment")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
		}, "id-of-environment/"},
		"in the configuration, before the environment": {func(t *testing.T, _ string, c *s3.Config) {
			t.Setenv("AWS_ACCESS_KEY_ID", "id-of-environment")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			c.AccessKey, c.SecretKey = config.NewSecret("id-of-config"), config.NewSecret("secret")
		}, "id-of-config/"},
		"in a file": {func(t *testing.T, home string, c *s3.Config) {
			mustWrite(t, filepath.Join(home, "keys"), sharedFile)
			c.CredentialsFile = filepath.Join(home, "keys")
		}, "id-of-default/"},
		"in a profile": {func(t *testing.T, home string, c *s3.Config) {
			mustWrite(t, filepath.Join(home, ".aws", "credentials"), sharedFile)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, ".aws", "credentials"))
			c.Profile = "shop"
		}, "id-of-shop/"},
		"of a role, from a server of the machine": {func(t *testing.T, _ string, _ *s3.Config) {
			role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"AccessKeyId":"id-of-role","SecretAccessKey":"secret","Token":"t","Expiration":"2999-01-01T00:00:00Z"}`)
			}))
			t.Cleanup(role.Close)
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", role.URL)
		}, "id-of-role/"},
	} {
		t.Run(name, func(t *testing.T) {
			home := clearEnvironment(t)
			r := newRecorder(t, nil)
			cfg := good()
			cfg.AccessKey, cfg.SecretKey, cfg.Endpoint = config.Secret{}, config.Secret{}, r.URL
			c.prepare(t, home, cfg)
			mustDeliver(t, mustOpen(t, cfg, sinktest.OpenPicture), sinktest.Completed("a", 1))
			if got := r.requests()[0].Header.Get("Authorization"); !strings.Contains(got, "Credential="+c.want) {
				t.Errorf("signed %q, want %s", got, c.want)
			}
		})
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestStoreThatIsNotThereIsNamed(t *testing.T) {
	nobody := httptest.NewServer(nil)
	nobody.Close()
	cfg := good()
	cfg.Endpoint = nobody.URL
	_, err := mustOpen(t, cfg, sinktest.OpenPicture).Deliver(t.Context(), sinktest.Completed("a", 1))
	want := nobody.Listener.Addr().String() + " can't be reached: connection refused (see that the store runs, and that endpoint and region are right)"
	if err == nil || !strings.Contains(err.Error(), want) || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want %q", err, want)
	}
}

func TestMachineWithoutCredentialsIsSaidSo(t *testing.T) {
	home := clearEnvironment(t)
	cfg := good()
	cfg.AccessKey, cfg.SecretKey, cfg.Endpoint = config.Secret{}, config.Secret{}, newRecorder(t, nil).URL
	_, err := mustOpen(t, cfg, sinktest.OpenPicture).Deliver(t.Context(), sinktest.Completed("a", 1))
	if slug(err) != s3.NoCredentials || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want %s", err, s3.NoCredentials)
	}
	cfg.Profile = "shpo"
	_, err = s3.Kind.New(cfg, sink.Env{Dir: home})
	var p *problem.Error
	if !errors.As(err, &p) || p.Path != "profile" || p.Slug != s3.NoCredentials {
		t.Errorf("a profile that there is not: %v", err)
	}
	cfg.Profile, cfg.Endpoint, cfg.Region = "", "", ""
	if _, err = s3.Kind.New(cfg, sink.Env{Dir: home}); !errors.As(err, &p) || p.Path != "region" {
		t.Errorf("no region: %v", err)
	}
}

// Callers of the API get nothing of the machine's: not its keys, and no other way out.
func TestCallersUseTheirOwnKeysAndTheGuardedClient(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id-of-environment")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for path, change := range map[string]func(*s3.Config){
		"access_key":       func(c *s3.Config) { c.AccessKey, c.SecretKey = config.Secret{}, config.Secret{} },
		"profile":          func(c *s3.Config) { c.Profile = "default" },
		"credentials_file": func(c *s3.Config) { c.CredentialsFile = "/etc/passwd" },
	} {
		c := good()
		change(c)
		said := problem.All(c.CheckCaller())
		if c.CheckCaller() == nil || len(said) != 1 || said[0].Path != path {
			t.Errorf("%s: %v", path, said)
		}
		if _, err := s3.Kind.New(c, sink.Env{Client: http.DefaultClient}); err == nil {
			t.Errorf("%s: it was opened", path)
		}
	}
	var asked []string
	way := roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.String())
		return nil, retry.Permanent(problem.New(problem.Forbidden, "the way is closed").WithSlug("egress_refused"))
	})
	to, err := s3.Kind.New(good(), sink.Env{Client: &http.Client{Transport: way}, Bytes: sinktest.OpenPicture})
	if err != nil {
		t.Fatal(err)
	}
	_, err = to.Deliver(t.Context(), sinktest.Completed("a", 1))
	if slug(err) != "egress_refused" || !retry.IsPermanent(err) || len(asked) == 0 || !strings.HasPrefix(asked[0], "https://cards.s3.eu-central-1.amazonaws.com/") {
		t.Errorf("deliver = %v, asked %q; want what the guard said", err, asked)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A store that repeats all that it was sent gives nothing of it away.
func TestSecretsThatAStoreRepeatsAreCutOut(t *testing.T) {
	r := newRecorder(t, func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "<Error><Code>Odd</Code><Message>"+strings.Repeat("x", 150)+" a-secret-of-letters "+req.Header.Get("X-Amz-Security-Token")+" "+req.Header.Get("Authorization")+"</Message></Error>")
	})
	c := good()
	c.Endpoint, c.SessionToken = r.URL, config.NewSecret("hunter2-token-that-is-long-enough-to-be-cut-in-two-by-the-limit")
	to := mustOpen(t, c, sinktest.OpenPicture)
	receipt, err := to.Deliver(t.Context(), sinktest.Completed("a", 1))
	for _, secret := range []string{"hunter2", "a-secret-of", "an-id-of"} {
		if strings.Contains(err.Error(), secret) || strings.Contains(receipt.Body, secret) {
			t.Errorf("it says %v, %+v", err, receipt)
		}
	}
}

// Trailing checksums are Amazon's alone: no request of a picture, whole or in parts,
// has one.
func TestOtherStoresGetNoChecksumsOfAmazons(t *testing.T) {
	data, hash := large(part + 1)
	r := newRecorder(t, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		switch {
		case req.Method == http.MethodPost && req.URL.Query().Has("uploads"):
			_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
		case req.Method == http.MethodPost:
			_, _ = io.WriteString(w, "<CompleteMultipartUploadResult><ETag>x-2</ETag></CompleteMultipartUploadResult>")
		case req.Method == http.MethodHead:
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		default:
			w.Header().Set("ETag", `"`+md5Of(body)+`"`)
		}
	})
	clearEnvironment(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "an-id-of-letters")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-letters")
	c := good()
	c.Endpoint = r.URL
	inParts(c)
	found := *c // the SDK's own defaults come with what it finds
	found.AccessKey, found.SecretKey = config.Secret{}, config.Secret{}
	for _, c := range []*s3.Config{c, &found} {
		d := sinktest.Completed("a", 1)
		d.Outputs[0].Hash = hash
		mustDeliver(t, mustOpen(t, c, opens(data)), d)
		mustDeliver(t, mustOpen(t, c, sinktest.OpenPicture), sinktest.Completed("a", 1))
		d.Event = sink.ImageRemoved
		mustDeliver(t, mustOpen(t, c, sinktest.OpenPicture), d)
	}
	seen := r.requests()
	if len(seen) != 2*8 { // look, begin, two parts, end, look; put; delete
		t.Errorf("%d requests, want 16", len(seen))
	}
	for _, req := range seen {
		for name := range req.Header {
			if strings.Contains(name, "Checksum") || name == "X-Amz-Trailer" || name == "Content-Encoding" {
				t.Errorf("%s %s has %s: %s", req.Method, req.URL, name, req.Header.Get(name))
			}
		}
	}
}

func TestCallersAreNotLedElsewhere(t *testing.T) {
	elsewhere := newRecorder(t, nil)
	r := newRecorder(t, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Location", elsewhere.URL+req.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	c := good()
	c.Endpoint = r.URL
	to, err := s3.Kind.New(c, sink.Env{Client: &http.Client{}, Bytes: sinktest.OpenPicture})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{sink.RenderCompleted, sink.ImageRemoved} {
		d := sinktest.Completed("a", 1)
		d.Event = event
		if _, err := to.Deliver(t.Context(), d); slug(err) != s3.RegionWrong || retry.IsPermanent(err) {
			t.Errorf("%s: %v, want %s", event, err, s3.RegionWrong)
		}
	}
	if n := len(elsewhere.requests()); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}
