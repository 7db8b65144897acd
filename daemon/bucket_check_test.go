package daemon

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/s3test"
)

// newBucketSite is a site whose images are in a bucket, behind a proxy.
func newBucketSite(t *testing.T) (*site, *s3test.Server) {
	t.Helper()
	bucket := s3test.New(t)
	secret, _ := bucket.User.Password()
	t.Setenv("BLOBS_KEY", bucket.User.Username())
	t.Setenv("BLOBS_SECRET", secret)
	s := newSite(t, catalogWithHook+fmt.Sprintf(`
blobs:
  url: "s3://%s/shop/images?region=%s&endpoint=%s"
  access_key: ${BLOBS_KEY}
  secret_key: ${BLOBS_SECRET}
  timeout: 2s
`, bucket.Bucket, bucket.Region, bucket.Proxy.URL))
	return s, bucket
}

func TestBucketOfImagesIsLookedAt(t *testing.T) {
	s, bucket := newBucketSite(t)
	s.write("rows.csv", csvRows(1, "one"))
	path := filepath.Join(s.dir, "pictifyd.yaml")
	settings, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if signs := bucketSigns(t.Context(), settings); len(signs) != 1 || signs[0].Health != Well || !strings.Contains(signs[0].Says, bucket.Bucket) {
		t.Errorf("doctor: %+v", signs)
	}
	if report, err := CheckOnline(t.Context(), path); !strings.Contains(report, "images: s3://"+bucket.Bucket+"/shop/images can be written and read") {
		t.Errorf("check: %q, %v", report, err)
	}
	if keys := bucket.Keys(); len(keys) != 0 {
		t.Errorf("left: %v", keys)
	}
	bucket.Breaks(s3test.On("PUT", 9, s3test.Says(403, "AccessDenied", "Access Denied")))
	if signs := bucketSigns(t.Context(), settings); len(signs) != 1 || signs[0].Health != Missing || !strings.Contains(signs[0].Do, "docs/operations.md") {
		t.Errorf("doctor where nothing may be put: %+v", signs)
	}
	_, err = CheckOnline(t.Context(), path)
	found := false
	for _, p := range problem.All(err) {
		found = found || p.Pos.Line > 0 && strings.Contains(p.Error(), "images: put ") && strings.Contains(p.Error(), "AccessDenied")
	}
	if !found || strings.Contains(err.Error(), "pictifyd-test-secret") {
		t.Errorf("check where nothing may be put: %v", err)
	}
	folder := newSite(t, catalogWithHook)
	if settings, err = Load(filepath.Join(folder.dir, "pictifyd.yaml")); err != nil {
		t.Fatal(err)
	}
	if signs := bucketSigns(t.Context(), settings); len(signs) != 0 {
		t.Errorf("of a folder: %+v", signs)
	}
}
