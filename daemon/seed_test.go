package daemon

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The example batch-render.ts runs letter for letter with only its host and
// the address of its webhook changed. It is JavaScript as well; node runs it.
func TestSeedExampleRendersACertificateForEveryGraduate(t *testing.T) {
	needChrome(t)
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("node is not installed: make test installs it")
	}
	const example = "../examples/certificates"
	code, err := os.ReadFile(example + "/batch-render.ts")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "")
	if err := os.CopyFS(filepath.Join(s.dir, "templates"), os.DirFS(example+"/templates")); err != nil {
		t.Fatal(err)
	}
	url, _ := s.run(Options{})

	script := strings.NewReplacer("http://127.0.0.1:8080", url, "https://yourapp.com", s.receiver.server.URL).Replace(string(code))
	s.write("batch-render.mjs", `
const cohortId = 7;
const db = { graduates: { listByCohort: async () => [
  { id: 1, full_name: 'Ada Lovelace', course: 'Analytical engines', completed_at: '2026-11-24' },
  { id: 2, full_name: 'Grace "Amazing" Hopper', course: 'Compilers & <nanoseconds>', completed_at: '2026-11-24' },
  { id: 3, full_name: '山田 花子', course: 'Typography', completed_at: '2026-11-24' },
] } };
`+script+"\nconsole.log(response.status, jobId);\n")
	cmd := exec.Command(node, filepath.Join(s.dir, "batch-render.mjs"))
	cmd.Env = append(os.Environ(), "PICTIFY_API_KEY=any")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.HasPrefix(string(out), "202 ") {
		t.Fatalf("node says %s", out)
	}
	eventually(t, "the completion webhook", func() bool { return len(s.receiver.all("batch.completed")) == 1 })
	var done struct {
		Status  string
		Results []struct{ URL string }
	}
	if err := json.Unmarshal(s.receiver.all("batch.completed")[0].Data, &done); err != nil {
		t.Fatal(err)
	}
	if done.Status != "completed" || len(done.Results) != 3 {
		t.Fatalf("the webhook says %+v, want three certificates", done)
	}
	for i, r := range done.Results {
		picture := fetch(t, r.URL)
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil || img.Bounds().Dx() != 1754 || img.Bounds().Dy() != 1240 {
			t.Errorf("certificate %d: %v, bounds %v", i, err, img.Bounds())
		}
		if dir := os.Getenv("PICTIFYD_TEST_SHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "certificate-"+string(rune('1'+i))+".png"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func fetch(tb testing.TB, url string) []byte {
	tb.Helper()
	res, err := http.Get(url)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		tb.Fatalf("get %s: %s %v", url, res.Status, err)
	}
	return body
}
