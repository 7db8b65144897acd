package blob_test

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store/blob"
)

func TestConfigRefusesWhatCannotWork(t *testing.T) {
	key, secret := config.NewSecret("an-id-of-letters"), config.NewSecret("a-secret-of-letters")
	for name, c := range map[string]struct {
		config blob.Config
		path   string
		want   string
	}{
		"no bucket":                {blob.Config{URL: "s3:///images?region=eu-central-1"}, "url", "the bucket is missing"},
		"a bucket of one letter":   {blob.Config{URL: "s3://b/images"}, "url", `the bucket "b" is not a bucket's name`},
		"no region":                {blob.Config{URL: "s3://cards", AccessKey: key, SecretKey: secret}, "url", "the region is missing"},
		"a host for a region":      {blob.Config{URL: "s3://cards?region=x.example/"}, "url", "is not a region"},
		"an endpoint that is none": {blob.Config{URL: "s3://cards?endpoint=s3.example"}, "url", "the endpoint is not an http or https address"},
		"an endpoint with bucket":  {blob.Config{URL: "s3://cards?endpoint=https://s3.example/cards"}, "url", "take /cards off its end"},
		"a misspelt setting":       {blob.Config{URL: "s3://cards?regoin=eu-central-1"}, "url", `did you mean "region"?`},
		"an unknown setting":       {blob.Config{URL: "s3://cards?secret_access_key_of_mine=x"}, "url", "credentials are settings beside url"},
		"a setting twice":          {blob.Config{URL: "s3://cards?region=a&region=b"}, "url", "has region twice"},
		"a style":                  {blob.Config{URL: "s3://cards?path_style=maybe"}, "url", "neither true nor false"},
		"a prefix with dots":       {blob.Config{URL: "s3://cards/a/../b"}, "url", "can't be the prefix"},
		"a prefix with a space":    {blob.Config{URL: "s3://cards/a%20b"}, "url", "can't be the prefix"},
		"a prefix with a gap":      {blob.Config{URL: "s3://cards/a//b"}, "url", "can't be the prefix"},
		"a fragment":               {blob.Config{URL: "s3://cards#a"}, "url", "has a #"},
		"a key in the address":     {blob.Config{URL: "s3://id:a-secret-of-letters@cards"}, "url", "has credentials in it"},
		"no address":               {blob.Config{URL: "s3://a-secret-of-letters@cards:x/%zz"}, "url", "is not an address"},
		"a scheme with a secret":   {blob.Config{URL: "S3://id:a-secret-of-letters@cards"}, "url", "neither a folder nor a bucket"},
		"an id alone":              {blob.Config{URL: "s3://cards?region=eu-central-1", AccessKey: key}, "secret_key", "is missing beside access_key"},
		"a line end":               {blob.Config{URL: "s3://cards?region=eu-central-1", AccessKey: key, SecretKey: config.NewSecret("abc\n")}, "secret_key", "white space"},
		"a negative time":          {blob.Config{URL: "s3://cards", Timeout: -1}, "timeout", "longer than nothing"},
		"keys of a folder":         {blob.Config{URL: "file:images", AccessKey: key}, "access_key", "url names a folder"},
	} {
		err := c.config.Validate()
		said := problem.All(err)
		if err == nil || len(said) != 1 || said[0].Path != c.path || !strings.Contains(said[0].Error(), c.want) {
			t.Errorf("%s: %v, want %s: %q", name, err, c.path, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "a-secret-of-letters") {
			t.Errorf("%s says a secret: %v", name, err)
		}
	}
	for _, url := range []string{
		"s3://cards", "s3://cards/", "s3://cards/a/b=c/", "s3://cards?region=eu-central-1", "s3://cards/a?endpoint=http://127.0.0.1:9000&path_style=false",
		"file:data/images",
	} {
		if err := (blob.Config{URL: url}).Validate(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := blob.Default().Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
}
