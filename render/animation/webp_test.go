package animation_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render/animation"
)

// The stills in testdata are Chrome's: 64x32 (part.webp is 30x32), with its
// colour profile.
const stillWidth, stillHeight = 64, 32

func mustRead(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func mustWebP(tb testing.TB, opts animation.Options) *animation.WebP {
	tb.Helper()
	w, err := animation.NewWebP(stillWidth, stillHeight, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func mustEncodeWebP(tb testing.TB, w *animation.WebP) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := w.Encode(tb.Context(), &b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// tool is a program of libwebp, the reference reader of the format.
func tool(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatalf("%s is missing: run make services", name)
		}
		tb.Skipf("no %s: run make services", name)
	}
	out, err := exec.CommandContext(tb.Context(), program, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// decode is the picture of a still in the reference reader's reading of it.
func decode(tb testing.TB, file []byte) image.Image {
	tb.Helper()
	in, out := filepath.Join(tb.TempDir(), "still.webp"), filepath.Join(tb.TempDir(), "still.png")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		tb.Fatal(err)
	}
	tool(tb, "dwebp", in, "-o", out)
	b, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestWebPShowsTheStillsAsTheReferenceReaderReadsThem(t *testing.T) {
	for _, kind := range []string{"lossy", "lossless", "alpha"} {
		t.Run(kind, func(t *testing.T) {
			w := mustWebP(t, animation.Options{Loop: 3, Background: color.NRGBA{10, 20, 30, 255}})
			stills := [][]byte{mustRead(t, kind+"-1.webp"), mustRead(t, kind+"-2.webp"), mustRead(t, kind+"-3.webp")}
			for i, s := range stills {
				if err := w.Add(s, time.Duration(40+i)*time.Millisecond); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(t.TempDir(), "film.webp")
			if err := os.WriteFile(path, mustEncodeWebP(t, w), 0o600); err != nil {
				t.Fatal(err)
			}
			if out := tool(t, "webpinfo", path); !strings.Contains(out, "No error detected") {
				t.Errorf("webpinfo: %s", out)
			}
			info := tool(t, "webpmux", "-info", path)
			for _, want := range []string{"Canvas size: 64 x 32", "Background color : 0xFF0A141E", "Loop Count : 3", "Number of frames: 3", "ICC profile"} {
				if !strings.Contains(info, want) {
					t.Errorf("no %q in what webpmux says:\n%s", want, info)
				}
			}
			for i, s := range stills {
				frame := filepath.Join(t.TempDir(), "frame.webp")
				tool(t, "webpmux", "-get", "frame", fmt.Sprint(i+1), path, "-o", frame)
				got, err := os.ReadFile(frame)
				if err != nil {
					t.Fatal(err)
				}
				if !same(decode(t, got), decode(t, s)) {
					t.Errorf("frame %d is another picture than its still", i)
				}
			}
		})
	}
}

// A part is a frame in a WebP file.
type part struct {
	X, Y, W, H, Ms int
	Replaces       bool
	Chunks         string
}

// parts walks through the chunks of a file, which must be whole.
func parts(tb testing.TB, file []byte) (head string, frames []part) {
	tb.Helper()
	le, u24 := binary.LittleEndian, func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
	if int(le.Uint32(file[4:]))+8 != len(file) {
		tb.Fatalf("the file has %d bytes and says %d", len(file), le.Uint32(file[4:])+8)
	}
	walk := func(b []byte, do func(name string, body []byte)) {
		for len(b) > 0 {
			n := int(le.Uint32(b[4:]))
			do(string(b[:4]), b[8:8+n])
			b = b[8+n+n&1:]
		}
	}
	walk(file[12:], func(name string, body []byte) {
		if name != "ANMF" {
			head += name + " "
			return
		}
		p := part{2 * u24(body), 2 * u24(body[3:]), u24(body[6:]) + 1, u24(body[9:]) + 1, u24(body[12:]), body[15] == 2, ""}
		walk(body[16:], func(name string, _ []byte) { p.Chunks += name + " " })
		frames = append(frames, p)
	})
	return head, frames
}

func TestWebPJoinsFramesThatStay(t *testing.T) {
	w := mustWebP(t, animation.Options{})
	one, two, small := mustRead(t, "lossy-1.webp"), mustRead(t, "lossy-2.webp"), mustRead(t, "part.webp")
	const third = time.Second / 30
	for _, add := range []func() error{
		func() error { return w.Add(one, third) },
		func() error { return w.Add(one, third) },
		func() error { return w.Hold(third) },
		func() error { return w.AddAt(small, image.Pt(34, 0), third) },
		func() error { return w.AddAt(small, image.Pt(34, 0), third) },
		func() error { return w.AddAt(small, image.Pt(32, 0), third) },
		func() error { return w.Add(two, third) },
		func() error { return w.Add(one, 4*time.Hour) },
		func() error { return w.Hold(4 * time.Hour) }, // more than a frame can last
	} {
		if err := add(); err != nil {
			t.Fatal(err)
		}
	}
	head, got := parts(t, mustEncodeWebP(t, w))
	want := []part{
		{0, 0, 64, 32, 100, true, "VP8  "},
		{34, 0, 30, 32, 67, true, "VP8  "}, // rounded such that the sum is right
		{32, 0, 30, 32, 33, true, "VP8  "},
		{0, 0, 64, 32, 33, true, "VP8  "},
		{0, 0, 64, 32, 4 * 3600_000, true, "VP8  "},
		{0, 0, 64, 32, 4 * 3600_000, true, "VP8  "},
	}
	if diff := cmp.Diff(want, got); diff != "" || head != "VP8X ICCP ANIM " {
		t.Errorf("head %q, frames (-want +got):\n%s", head, diff)
	}
}

func TestWebPOwnsItsBytes(t *testing.T) {
	file := mustRead(t, "lossless-1.webp")
	w := mustWebP(t, animation.Options{})
	if err := w.Add(file, time.Second); err != nil {
		t.Fatal(err)
	}
	before := mustEncodeWebP(t, w)
	clear(file)
	if got := mustEncodeWebP(t, w); !bytes.Equal(got, before) {
		t.Error("the animation changes with the caller's bytes")
	}
}

func TestWebPKeepsAlpha(t *testing.T) {
	w := mustWebP(t, animation.Options{})
	if err := w.Add(mustRead(t, "alpha-1.webp"), time.Second); err != nil {
		t.Fatal(err)
	}
	before := mustEncodeWebP(t, w)
	if flags := before[20]; flags != 0x32 {
		t.Errorf("flags %#x, want animation, alpha and profile", flags)
	}
	if _, got := parts(t, before); len(got) != 1 || got[0].Chunks != "ALPH VP8  " {
		t.Errorf("got %+v", got)
	}
}

func TestWebPRefuses(t *testing.T) {
	still := mustRead(t, "lossy-1.webp")
	plain := withoutProfile(still)
	for name, c := range map[string]struct {
		opts animation.Options
		fill func(*animation.WebP) error
		want string // slug
		at   string
	}{
		"a part first": {fill: func(w *animation.WebP) error { return w.Add(mustRead(t, "part.webp"), time.Second) }, want: animation.SlugFrame, at: "frames[0]"},
		"a part off the edge": {fill: func(w *animation.WebP) error {
			_ = w.Add(still, time.Second)
			return w.AddAt(mustRead(t, "part.webp"), image.Pt(36, 0), time.Second)
		}, want: animation.SlugFrame, at: "frames[1]"},
		"a part before it": {fill: func(w *animation.WebP) error {
			_ = w.Add(still, time.Second)
			return w.AddAt(mustRead(t, "part.webp"), image.Pt(-2, 0), time.Second)
		}, want: animation.SlugFrame, at: "frames[1]"},
		"an odd place": {fill: func(w *animation.WebP) error {
			_ = w.Add(still, time.Second)
			return w.AddAt(mustRead(t, "part.webp"), image.Pt(3, 0), time.Second)
		}, want: animation.SlugFrame, at: "frames[1]"},
		"another profile": {fill: func(w *animation.WebP) error { _ = w.Add(still, time.Second); return w.Add(plain, time.Second) }, want: animation.SlugFrame, at: "frames[1]"},
		"no WebP":         {fill: func(w *animation.WebP) error { return w.Add([]byte("GIF89a"), time.Second) }, want: animation.SlugFrame, at: "frames[0]"},
		"too short":       {fill: func(w *animation.WebP) error { return w.Add(still, 10*time.Millisecond) }, want: animation.SlugDelay, at: "frames[0]"},
		"too long":        {fill: func(w *animation.WebP) error { return w.Add(still, 5*time.Hour) }, want: animation.SlugDelay, at: "frames[0]"},
		"negative":        {fill: func(w *animation.WebP) error { return w.Add(still, -time.Second) }, want: animation.SlugDelay, at: "frames[0]"},
		"hold of nothing": {fill: func(w *animation.WebP) error { return w.Hold(time.Second) }, want: animation.SlugFrames, at: "frames[0]"},
		"too many":        {opts: animation.Options{Frames: 1}, fill: func(w *animation.WebP) error { _ = w.Add(still, time.Second); return w.Hold(time.Second) }, want: animation.SlugFrames, at: "frames[1]"},
		"too much": {opts: animation.Options{Memory: 300}, fill: func(w *animation.WebP) error {
			_ = w.Add(still, time.Second)
			return w.Add(mustRead(t, "lossy-2.webp"), time.Second)
		}, want: animation.SlugMemory, at: "frames[1]"},
	} {
		w := mustWebP(t, c.opts)
		err := c.fill(w)
		var p *problem.Error
		if !errors.As(err, &p) || p.Slug != c.want || p.Path != c.at {
			t.Errorf("%s: got %v, want %s at %s", name, err, c.want, c.at)
			continue
		}
		if again := w.Add(still, time.Second); !errors.Is(again, err) {
			t.Errorf("%s: the next frame was taken: %v", name, again)
		}
		if end := w.Encode(t.Context(), new(bytes.Buffer)); !errors.Is(end, err) {
			t.Errorf("%s: a film with a hole was written: %v", name, end)
		}
	}
}

// withoutProfile is a simple file of the same picture.
func withoutProfile(still []byte) []byte {
	at := bytes.Index(still, []byte("VP8 "))
	b := append([]byte("RIFF\x00\x00\x00\x00WEBP"), still[at:]...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

func TestWebPTakesSimpleFiles(t *testing.T) {
	w := mustWebP(t, animation.Options{})
	if err := w.Add(withoutProfile(mustRead(t, "lossy-1.webp")), time.Second); err != nil {
		t.Fatal(err)
	}
	if head, got := parts(t, mustEncodeWebP(t, w)); head != "VP8X ANIM " || len(got) != 1 {
		t.Errorf("head %q, %d frames", head, len(got))
	}
}
