package s3

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// DefaultRegion is the one to sign for where a store other than Amazon's is named
// without one.
const DefaultRegion = "us-east-1"

// A Place says where a bucket is and who may enter.
type Place struct {
	Bucket    string
	Endpoint  string // of the store; empty: Amazon's
	Region    string // empty: the environment's, or DefaultRegion where there is an endpoint
	PathStyle bool   // the bucket stands in the path, not in the host

	AccessKey    config.Secret // without it: the environment, files, web identity, the machine's role
	SecretKey    config.Secret
	SessionToken config.Secret
	// CredentialsFile is a file as the tools of AWS write it, instead of theirs.
	CredentialsFile string
	Profile         string // of the file

	Timeout  time.Duration // of one request
	Parallel int           // requests that are under way at once; 0: the SDK's idea
	Words    Words
}

// Words are how the next steps are said.
type Words struct {
	Bucket string // what to correct: "the sink's bucket"
	Of     string // whose the other settings are: "the sink's"
	Wait   string // what waits until somebody has: "deliveries wait"
	Docs   string // the page that lists what must be allowed
	Slug   string // of a failure that has no finer one
	Own    bool   // the bucket is a part of this installation, and no receiver
}

var (
	bucketForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)
	regionForm = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)
)

// A Bad notes what is wrong at a path of the configuration.
type Bad func(path, format string, args ...any) *problem.Error

// Check reports everything about p that cannot work. A bucket's hint says where
// the rest of an address belongs.
func (p *Place) Check(bad Bad, bucketHint string) {
	switch {
	case p.Bucket == "":
		_ = bad("bucket", "is missing")
	case strings.HasPrefix(p.Bucket, "arn:"):
		_ = bad("bucket", "is an ARN").WithHint("give the bucket's name, or the alias of the access point")
	case !bucketForm.MatchString(p.Bucket):
		_ = bad("bucket", "%q is not a bucket's name", p.Bucket).WithHint("%s", bucketHint)
	}
	p.checkReach(bad)
	p.checkCredentials(bad)
	if p.Timeout <= 0 {
		_ = bad("timeout", "must be longer than nothing")
	}
}

func (p *Place) checkReach(bad Bad) {
	if p.Endpoint != "" {
		u, err := url.Parse(p.Endpoint)
		switch {
		case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "http" && u.Scheme != "https":
			_ = bad("endpoint", "is not an http or https address").WithHint(`as in "https://ACCOUNT.r2.cloudflarestorage.com", without the bucket`)
		case p.Bucket != "" && path.Base(u.Path) == p.Bucket: // as consoles show it
			_ = bad("endpoint", "has the bucket in it").WithHint("take /%s off its end", p.Bucket)
		}
	}
	switch {
	case p.Region != "" && !regionForm.MatchString(p.Region):
		_ = bad("region", "%q is not a region", p.Region).WithHint("as in eu-central-1")
	case p.Region == "" && p.Endpoint == "" && !p.AccessKey.IsZero():
		_ = bad("region", "is missing").WithHint("as in eu-central-1: where the bucket is")
	}
}

func (p *Place) checkCredentials(bad Bad) {
	switch {
	case p.AccessKey.IsZero() && !p.SecretKey.IsZero():
		_ = bad("access_key", "is missing beside secret_key")
	case !p.AccessKey.IsZero() && p.SecretKey.IsZero():
		_ = bad("secret_key", "is missing beside access_key")
	case p.AccessKey.IsZero() && !p.SessionToken.IsZero():
		_ = bad("session_token", "stands without access_key and secret_key")
	case !p.AccessKey.IsZero() && (p.CredentialsFile != "" || p.Profile != ""):
		_ = bad("access_key", "stands beside credentials_file or profile").WithHint("keep one of them")
	}
	for path, s := range map[string]config.Secret{"access_key": p.AccessKey, "secret_key": p.SecretKey, "session_token": p.SessionToken} {
		if strings.ContainsFunc(s.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
			_ = bad(path, "has white space or other characters in it that no key has").WithHint("see whether a line end was read with it")
		}
	}
}
