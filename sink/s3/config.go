package s3

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	buckets "github.com/pictifyd/pictifyd/internal/s3"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/paths"
)

// Config is a bucket's part of the configuration.
type Config struct {
	sink.Common

	Bucket string `yaml:"bucket"`
	Path   string `yaml:"path"` // of each object: "{{ key }}/{{ output }}-{{ hash }}.{{ ext }}"
	// Alias is a path that stays the same: the newest picture is written there too,
	// once all objects of the row are in place. Empty: none.
	Alias string `yaml:"alias"`
	// CaseInsensitive is for stores that take A and a for the same.
	CaseInsensitive bool `yaml:"case_insensitive"`

	CacheControl       string            `yaml:"cache_control"`       // of objects; empty: none
	AliasCacheControl  string            `yaml:"alias_cache_control"` // of aliases; no-cache
	ContentDisposition string            `yaml:"content_disposition"` // with expressions; empty: none
	Metadata           map[string]string `yaml:"metadata"`            // x-amz-meta-NAME, with expressions
	Tags               map[string]string `yaml:"tags"`                // of the objects, with expressions
	ACL                string            `yaml:"acl"`                 // a canned one: public-read; empty: the bucket's rules
	StorageClass       string            `yaml:"storage_class"`       // empty: the bucket's
	SSE                string            `yaml:"sse"`                 // AES256 or aws:kms; empty: the bucket's
	KMSKey             string            `yaml:"kms_key"`             // with aws:kms; empty: the account's

	Endpoint  string `yaml:"endpoint"`   // of the store; empty: Amazon's
	Region    string `yaml:"region"`     // empty: the environment's, or us-east-1 where there is an endpoint
	PathStyle *bool  `yaml:"path_style"` // the bucket stands in the path, not in the host; default: where there is an endpoint

	AccessKey    config.Secret `yaml:"access_key"` // without it: the environment, files, web identity, the machine's role
	SecretKey    config.Secret `yaml:"secret_key"`
	SessionToken config.Secret `yaml:"session_token"`
	// CredentialsFile is a file as the tools of AWS write it, instead of theirs.
	CredentialsFile string `yaml:"credentials_file"`
	Profile         string `yaml:"profile"` // of the file; default

	Timeout  config.Duration `yaml:"timeout"`   // of one request; 30s
	PartSize config.Bytes    `yaml:"part_size"` // what is larger is sent in parts of this size; 16MiB
}

const (
	defaultTimeout  = 30 * time.Second
	defaultPartSize = 16 << 20
	minPartSize     = 5 << 20 // S3's, but for the last part
	maxPartSize     = 1 << 30 // a part is held in memory
)

// rules are those of S3.
var rules = paths.Rules{MaxBytes: 1024}

// Kind is the S3 sink.
var Kind = sink.Kind{
	Name:    "s3",
	Summary: "one object per picture in a bucket of any S3-compatible store",
	Callers: true,
	Config: func() sink.Config {
		return &Config{AliasCacheControl: "no-cache", Timeout: config.Duration(defaultTimeout), PartSize: defaultPartSize}
	},
	New: func(c sink.Config, env sink.Env) (sink.Sink, error) { return newBucket(*c.(*Config), env) },
}

// Addresses implements sink.Addressed.
func (c *Config) Addresses() map[string]string {
	if c.Endpoint == "" {
		return map[string]string{"region": "https://s3." + c.Region + ".amazonaws.com"}
	}
	return map[string]string{"endpoint": c.Endpoint}
}

// CheckCaller implements sink.Guarded: without keys of their own callers would use
// the machine's.
func (c *Config) CheckCaller() error {
	var problems problem.List
	for path, given := range map[string]bool{"credentials_file": c.CredentialsFile != "", "profile": c.Profile != ""} {
		if given {
			problems = append(problems, problem.New(problem.Invalid, "is a file of this machine").At(path).WithHint("give accessKey and secretKey"))
		}
	}
	if c.AccessKey.IsZero() || c.SecretKey.IsZero() {
		problems = append(problems, problem.New(problem.Invalid, "is missing: over the API this machine's own credentials can't be used").At("access_key").
			WithHint("give accessKey and secretKey"))
	}
	return problems.Err()
}

// CheckOutputs implements sink.PerOutput.
func (c *Config) CheckOutputs(outputs []sink.Output) error {
	for _, at := range []struct{ name, text string }{{"path", c.Path}, {"alias", c.Alias}} {
		path, err := paths.Parse(at.text, c.rules())
		if err != nil {
			continue // Validate has said it
		}
		if err := path.CheckOutputs(at.name, outputs); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) rules() paths.Rules {
	r := rules
	r.FoldCase = c.CaseInsensitive
	return r
}

// words are how the next steps of this sink's failures are said.
var words = buckets.Words{Bucket: "the sink's bucket", Of: "the sink's", Wait: "deliveries wait", Docs: "docs/sinks.md", Slug: DeliveryFailed}

// place is where the bucket is.
func (c *Config) place() buckets.Place {
	return buckets.Place{
		Bucket: c.Bucket, Endpoint: c.Endpoint, Region: c.Region, PathStyle: c.pathStyle(),
		AccessKey: c.AccessKey, SecretKey: c.SecretKey, SessionToken: c.SessionToken, CredentialsFile: c.CredentialsFile, Profile: c.Profile,
		Timeout: c.Timeout.Std(), Words: words,
	}
}

// pathStyle is whether the bucket stands in the path.
func (c *Config) pathStyle() bool {
	if c.PathStyle != nil {
		return *c.PathStyle
	}
	return c.Endpoint != ""
}

var (
	wordForm   = regexp.MustCompile(`^[A-Z_]{1,64}$`)
	headerForm = regexp.MustCompile(`^[\x20-\x7e]*$`)
)

// Validate reports every setting that cannot work.
func (c *Config) Validate() error {
	problems := c.CheckEvents()
	bad := func(path, format string, args ...any) *problem.Error {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path))
		return problems[len(problems)-1]
	}
	place := c.place()
	place.Check(bad, "without s3:// and without a folder, which stands in path")
	problems = append(problems, c.checkPaths()...)
	c.checkObject(bad)
	if c.PartSize < minPartSize || c.PartSize > maxPartSize {
		bad("part_size", "must be between 5MiB and 1GiB")
	}
	return problems.Err()
}

func (c *Config) checkPaths() (problems problem.List) {
	if _, err := paths.Parse(c.Path, c.rules()); err != nil {
		problems = append(problems, err.At("path"))
	}
	if c.Alias == "" {
		return problems
	}
	alias, err := paths.Parse(c.Alias, c.rules())
	if err == nil {
		err = alias.Stable()
	}
	if err == nil && c.Alias == c.Path {
		err = problem.New(problem.Invalid, "is the same as path").WithHint("leave alias out, or put {{ hash }} into path")
	}
	if err != nil {
		problems = append(problems, err.At("alias"))
	}
	return problems
}

func (c *Config) checkObject(bad func(path, format string, args ...any) *problem.Error) {
	for path, text := range map[string]string{"cache_control": c.CacheControl, "alias_cache_control": c.AliasCacheControl, "kms_key": c.KMSKey} {
		if !headerForm.MatchString(text) {
			bad(path, "can't stand in a header")
		}
	}
	oneOf(bad, "acl", c.ACL, values(types.ObjectCannedACL("").Values()))
	oneOf(bad, "sse", c.SSE, []string{"AES256", "aws:kms", "aws:kms:dsse"})
	if c.Endpoint == "" {
		oneOf(bad, "storage_class", c.StorageClass, values(types.StorageClass("").Values()))
	} else if c.StorageClass != "" && !wordForm.MatchString(c.StorageClass) {
		bad("storage_class", "%q is not a storage class", c.StorageClass)
	}
	if c.KMSKey != "" && !strings.HasPrefix(c.SSE, "aws:kms") {
		_ = bad("kms_key", "stands without sse: aws:kms").WithHint("add it, or leave kms_key out")
	}
	if _, err := parseHeaders(c); err != nil {
		for _, p := range problem.All(err) {
			_ = bad(p.Path, "%s", p.Message).WithHint("%s", p.Hint)
		}
	}
}

func values[T ~string](words []T) []string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return texts
}

func oneOf(bad func(path, format string, args ...any) *problem.Error, path, word string, words []string) {
	if word == "" || slices.Contains(words, word) {
		return
	}
	e := bad(path, "%q is none of %s", word, strings.Join(words, ", "))
	if near, ok := config.Nearest(word, words); ok {
		_ = e.WithHint("did you mean %q?", near)
	}
}

// newBucket opens the sink. It reads the environment and files where the
// configuration has no keys, and reaches nothing.
func newBucket(c Config, env sink.Env) (*bucket, error) {
	path, invalid := paths.Parse(c.Path, c.rules())
	if invalid != nil {
		return nil, invalid.At("path")
	}
	b := &bucket{cfg: c, path: path, open: env.Bytes}
	if c.Alias != "" {
		if b.alias, invalid = paths.Parse(c.Alias, c.rules()); invalid != nil {
			return nil, invalid.At("alias")
		}
	}
	var err error
	if b.headers, err = parseHeaders(&c); err != nil {
		return nil, err
	}
	if c.CredentialsFile != "" && !filepath.IsAbs(c.CredentialsFile) {
		c.CredentialsFile = filepath.Join(env.Dir, c.CredentialsFile)
	}
	if env.Client != nil {
		if err := c.CheckCaller(); err != nil {
			return nil, err
		}
		// A redirect is the store's word for another region, which an operator has to
		// set; followed, the signature would be wrong.
		direct := *env.Client
		direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.client, err = buckets.Open(c.place(), &direct)
	} else {
		b.client, err = buckets.Open(c.place(), nil)
	}
	if err != nil {
		return nil, fmt.Errorf("open bucket %q: %w", c.Bucket, err)
	}
	return b, nil
}

// sorted are the names of m in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
