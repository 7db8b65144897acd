package blob

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Config says where the bytes are.
type Config struct {
	// URL is "file:data/images", a folder relative to the configuration's, or
	// "s3://BUCKET/PREFIX?region=eu-central-1&endpoint=https://…", a bucket.
	URL string `yaml:"url"`

	AccessKey    config.Secret `yaml:"access_key"` // of the bucket; without it: the environment, files, web identity, the machine's role
	SecretKey    config.Secret `yaml:"secret_key"`
	SessionToken config.Secret `yaml:"session_token"`
	// CredentialsFile is a file as the tools of AWS write it, instead of theirs.
	CredentialsFile string `yaml:"credentials_file"`
	Profile         string `yaml:"profile"` // of the file; default

	Timeout config.Duration `yaml:"timeout"` // of one request to the bucket, and of a silence while reading; 30s
}

const defaultTimeout = 30 * time.Second

// Default is the folder data/images.
func Default() Config {
	return Config{URL: "file:data/images", Timeout: config.Duration(defaultTimeout)}
}

// IsBucket reports whether the bytes are in a bucket, and not on this machine.
func (c Config) IsBucket() bool { return strings.HasPrefix(c.URL, bucketScheme) }

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	if c.IsBucket() {
		_, problems := bucketOf(c)
		return problems.Err()
	}
	var problems problem.List
	if _, err := folderOf(c.URL, ""); err != nil {
		problems = append(problems, err)
	}
	for _, s := range []struct {
		path  string
		given bool
	}{
		{"access_key", !c.AccessKey.IsZero()},
		{"secret_key", !c.SecretKey.IsZero()},
		{"session_token", !c.SessionToken.IsZero()},
		{"credentials_file", c.CredentialsFile != ""},
		{"profile", c.Profile != ""},
	} {
		if s.given {
			problems = append(problems, problem.New(problem.Invalid, "is for a bucket, and url names a folder").At(s.path).
				WithHint(`take it out, or write url: "s3://BUCKET/PREFIX"`))
		}
	}
	return problems.Err()
}

func folderOf(url, dir string) (string, *problem.Error) {
	path, ok := strings.CutPrefix(url, "file:")
	if !ok {
		return "", problem.New(problem.Invalid, "%s is the address of neither a folder nor a bucket", quoted(url)).
			At("url").WithHint(`write "file:data/images" or "s3://BUCKET/PREFIX?region=REGION"`)
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		// Of file://host/path only the local host makes sense.
		path = strings.TrimPrefix(rest, "localhost")
		if !strings.HasPrefix(path, "/") {
			return "", problem.New(problem.Invalid, "%q names a host", url).
				At("url").WithHint(`write "file:data/images" or "file:///var/lib/pictifyd/images"`)
		}
	}
	if path == "" || strings.ContainsRune(path, 0) {
		return "", problem.New(problem.Invalid, "%q names no folder", url).At("url")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path), nil
}
