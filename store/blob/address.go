package blob

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/s3"
)

const bucketScheme = "s3://"

// parallel is how many requests a bucket is asked at once.
const parallel = 32

// maxPrefix leaves room for a hash in the 1,024 bytes of a key.
const maxPrefix = 512

// prefixForm has the characters that no store, signature or URL takes amiss.
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)*$`)

// An address is what a bucket's URL says.
type address struct {
	s3.Place

	prefix string // of every key: "" or one that ends with a slash
}

var words = s3.Words{
	Bucket: "the bucket in blobs.url", Of: "the bucket's", Wait: "the work waits, and goes on by itself", Docs: "docs/operations.md", Slug: BucketFailed, Own: true,
}

// bucketOf reads the address and the credentials of c, and reports everything about
// them that cannot work.
func bucketOf(c Config) (address, problem.List) {
	var problems problem.List
	bad := func(path, format string, args ...any) *problem.Error {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path))
		return problems[len(problems)-1]
	}
	a := address{Place: s3.Place{
		AccessKey: c.AccessKey, SecretKey: c.SecretKey, SessionToken: c.SessionToken, CredentialsFile: c.CredentialsFile, Profile: c.Profile,
		Timeout: c.Timeout.Std(), Parallel: parallel, Words: words,
	}}
	if a.Timeout == 0 {
		a.Timeout = defaultTimeout
	}
	u, err := url.Parse(c.URL)
	if err != nil { // its text repeats the address, which may have a secret in it
		_ = bad("url", "is not an address").WithHint(`write "s3://BUCKET/PREFIX?region=REGION", with %%-escapes for characters that have a meaning`)
		return a, problems
	}
	if u.User != nil {
		_ = bad("url", "has credentials in it").WithHint("write them as access_key and secret_key, which are never shown")
	}
	if u.Fragment != "" {
		_ = bad("url", "has a # in it")
	}
	a.Bucket = u.Host
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		a.prefix = prefix + "/"
		if !prefixForm.MatchString(prefix) || len(prefix) > maxPrefix || strings.Contains("/"+a.prefix, "/../") || strings.Contains("/"+a.prefix, "/./") {
			_ = bad("url", "%q can't be the prefix of keys", prefix).WithHint("use letters, digits, and . _ = - / between them")
		}
	}
	a.settings(u.Query(), bad)
	// What stands in the address is said to stand there.
	a.Check(func(path, format string, args ...any) *problem.Error {
		switch path {
		case "bucket", "region", "endpoint":
			return bad("url", "%s", "the "+path+" "+fmt.Sprintf(format, args...))
		}
		return bad(path, format, args...)
	}, `write "s3://BUCKET/PREFIX"`)
	return a, problems
}

// settings are what stands behind the question mark.
func (a *address) settings(query url.Values, bad s3.Bad) {
	known := []string{"region", "endpoint", "path_style"}
	for name, values := range query {
		switch {
		case len(values) > 1:
			_ = bad("url", "has %s twice", name)
		case name == "region":
			a.Region = values[0]
		case name == "endpoint":
			a.Endpoint = values[0]
		case name == "path_style":
			continue // below, since its default follows from endpoint
		default:
			e := bad("url", "has an unknown setting %q", name)
			if near, ok := config.Nearest(name, known); ok {
				_ = e.WithHint("did you mean %q?", near)
			} else {
				_ = e.WithHint("known are %s; credentials are settings beside url", strings.Join(known, ", "))
			}
		}
	}
	a.PathStyle = a.Endpoint != ""
	if text := query.Get("path_style"); text != "" {
		style, err := strconv.ParseBool(text)
		if err != nil {
			_ = bad("url", "path_style is neither true nor false")
		}
		a.PathStyle = style
	}
}

// quoted is a text that is no address, unless there may be a password in it.
func quoted(text string) string {
	if strings.Contains(text, "@") {
		return "the text"
	}
	return strconv.Quote(text)
}
