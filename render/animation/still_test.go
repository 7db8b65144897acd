package animation

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func mustStill(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// edited is a copy of file with bytes put at a place, or after the name of a
// chunk.
func edited(file []byte, chunk string, at int, put ...byte) []byte {
	b := bytes.Clone(file)
	if chunk != "" {
		at += bytes.Index(b, []byte(chunk)) + 8
	}
	copy(b[at:], put)
	return b
}

// riff is a file of chunks, each a name and a body.
func riff(chunks ...string) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WEBP")
	for i := 0; i < len(chunks); i += 2 {
		b = binary.LittleEndian.AppendUint32(append(b, chunks[i]...), uint32(len(chunks[i+1])))
		b = append(b, chunks[i+1]...)
		b = append(b, make([]byte, len(chunks[i+1])&1)...)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

const (
	lossyBody    = "\x10\x00\x00\x9d\x01\x2a\x40\x00\x20\x00"
	losslessBody = "\x2f\x3f\xc0\x07\x00\x00"
	canvasBody   = "\x00\x00\x00\x00\x3f\x00\x00\x1f\x00\x00"
)

func TestStillsAreTakenApart(t *testing.T) {
	for name, want := range map[string]struct {
		chunks  string
		alpha   bool
		profile bool
	}{
		"lossy-1.webp":    {chunks: "VP8 ", profile: true},
		"lossless-1.webp": {chunks: "VP8L", profile: true},
		"alpha-1.webp":    {chunks: "ALPH", alpha: true, profile: true},
	} {
		s, err := readStill(mustStill(t, name))
		if err != nil || s.width != 64 || s.height != 32 || s.alpha != want.alpha || string(s.image[:4]) != want.chunks || (s.profile != nil) != want.profile {
			t.Errorf("%s: %dx%d alpha %t, %.4q, %v", name, s.width, s.height, s.alpha, s.image, err)
		}
	}
	for name, file := range map[string][]byte{
		"a simple lossy file":       riff("VP8 ", lossyBody),
		"a simple lossless file":    riff("VP8L", losslessBody),
		"metadata around it":        riff("VP8X", canvasBody, "XYZ ", "odd", "VP8 ", lossyBody, "EXIF", "x"),
		"alpha that VP8L overrules": riff("VP8X", canvasBody, "ALPH", "\x00\x00", "VP8L", losslessBody),
	} {
		if s, err := readStill(file); err != nil || s.width != 64 || s.height != 32 || s.alpha || bytes.Contains(s.image, []byte("ALPH")) {
			t.Errorf("%s: %dx%d alpha %t, %v", name, s.width, s.height, s.alpha, err)
		}
	}
}

func TestDamagedStillsAreRefused(t *testing.T) {
	lossy, lossless, alpha := mustStill(t, "lossy-1.webp"), mustStill(t, "lossless-1.webp"), mustStill(t, "alpha-1.webp")
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":               {nil, "not a WebP file"},
		"a PNG":                 {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"), "not a WebP file"},
		"another RIFF":          {edited(lossy, "", 8, 'W', 'A', 'V', 'E'), "not a WebP file"},
		"cut off":               {lossy[:len(lossy)-1], "that says it has 664"},
		"more behind it":        {append(bytes.Clone(lossy), 0), "that says it has 664"},
		"a size over all":       {edited(lossy, "", 4, 0xff, 0xff, 0xff, 0xff), "that says it has 4294967303"},
		"only a header":         {riff(), "no picture"},
		"only a canvas":         {riff("VP8X", canvasBody), "no picture"},
		"half a chunk's header": {edited(append(riff("VP8 ", lossyBody), 1, 2, 3), "", 4, 25), "3 bytes behind the last chunk"},
		"a chunk over the end":  {edited(lossy, "ICCP", -4, 0xff, 0xff, 0xff, 0xff), `chunk "ICCP" has 4294967295 bytes`},
		"an odd chunk's padding": {
			edited(riff("VP8 ", lossyBody, "EXIF", "x")[:12+8+10+8+1], "", 4, 31), `chunk "EXIF" has 1 bytes and the file 1 more`},
		"an animation":            {edited(lossy, "VP8X", 0, 0x22), "is an animation itself"},
		"a frame of an animation": {riff("VP8 ", lossyBody, "ANMF", ""), "is an animation itself"},
		"a short canvas":          {riff("VP8X", canvasBody[:9], "VP8 ", lossyBody), "9 bytes are too few"},
		"two canvases":            {riff("VP8X", canvasBody, "VP8X", canvasBody, "VP8 ", lossyBody), "not the first one"},
		"a canvas at the end":     {riff("VP8 ", lossyBody, "VP8X", canvasBody), "not the first one"},
		"another canvas":          {edited(lossy, "VP8X", 4, 64), "the file says 65x32 and its picture 64x32"},
		"two pictures":            {riff("VP8 ", lossyBody, "VP8L", losslessBody), "a second picture"},
		"no start code":           {edited(lossy, "VP8 ", 3, 0), "has no picture"},
		"a short picture":         {riff("VP8 ", lossyBody[:9]), "has no picture"},
		"no key frame":            {edited(lossy, "VP8 ", 0, 0x11), "is no still"},
		"a hidden frame":          {edited(lossy, "VP8 ", 0, 0x00), "is no still"},
		"an unknown kind of VP8":  {edited(lossy, "VP8 ", 0, 0x18), "is no still"},
		"a first part over all":   {edited(lossy, "VP8 ", 0, 0xf0, 0xff, 0xff), "its first part has"},
		"no width":                {edited(lossy, "VP8 ", 6, 0, 0), "its picture is 0x32"},
		"no height":               {edited(lossy, "VP8 ", 8, 0, 0xc0), "its picture is 64x0"},
		"no signature":            {edited(lossless, "VP8L", 0, 0), "has no picture"},
		"a short lossless":        {riff("VP8L", losslessBody[:5]), "has no picture"},
		"a later VP8L":            {edited(lossless, "VP8L", 4, 0x20), "version 1 is unknown"},
		"short alpha":             {riff("VP8X", canvasBody, "ALPH", "\x00", "VP8 ", lossyBody), "1 bytes are too few"},
		"unknown alpha":           {edited(alpha, "ALPH", 0, 2), "compression 2 is unknown"},
		"two alphas":              {riff("VP8X", canvasBody, "ALPH", "\x00\x00", "ALPH", "\x00\x00", "VP8 ", lossyBody), "not the first one of the picture"},
		"alpha too late":          {riff("VP8X", canvasBody, "VP8 ", lossyBody, "ALPH", "\x00\x00"), "not the first one of the picture"},
	} {
		if _, err := readStill(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	for n := range len(alpha) {
		if _, err := readStill(alpha[:n]); err == nil {
			t.Errorf("the first %d bytes of a file are taken for the whole", n)
		}
	}
}

func TestAnOddProfileIsPadded(t *testing.T) {
	w, err := NewWebP(64, 32, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(riff("VP8X", canvasBody, "ICCP", "odd", "VP8 ", lossyBody), time.Second); err != nil {
		t.Fatal(err)
	}
	if head := string(w.header()[12+18:]); !strings.HasPrefix(head, "ICCP\x03\x00\x00\x00odd\x00ANIM") {
		t.Errorf("got %q", head)
	}
}

// Property: what is taken is within bounds, and goes into an animation whose
// frame is the same picture.
func FuzzStill(f *testing.F) {
	for _, name := range []string{"lossy-1.webp", "lossless-1.webp", "alpha-1.webp", "part.webp"} {
		f.Add(mustStill(f, name))
	}
	f.Add(riff("VP8 ", lossyBody))
	f.Add(riff("VP8L", losslessBody))
	f.Add(riff("VP8X", canvasBody, "XYZ ", "odd", "ALPH", "\x00\x00", "VP8 ", lossyBody, "EXIF", "x"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := readStill(file)
		if err != nil {
			return
		}
		if s.width < 1 || s.height < 1 || s.width > webpEdge+1 || s.height > webpEdge+1 || len(s.image) > len(file) {
			t.Fatalf("a still of %dx%d in %d bytes", s.width, s.height, len(s.image))
		}
		w, err := NewWebP(s.width, s.height, Options{Pixels: 1 << 30})
		if err != nil {
			return // 16384 pixels are a still, but no animation
		}
		if err := w.Add(file, time.Second); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := w.Encode(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		frame := b.Bytes()[len(w.header()):]
		if n := int(binary.LittleEndian.Uint32(frame[4:])); n != len(frame)-8 || n%2 != 0 {
			t.Fatalf("the frame says %d bytes and has %d", n, len(frame)-8)
		}
		body := append([]byte("RIFF\x00\x00\x00\x00WEBP"), frame[24:]...)
		binary.LittleEndian.PutUint32(body[4:], uint32(len(body)-8))
		again, err := readStill(body)
		if err != nil || again.width != s.width || again.height != s.height || again.alpha != s.alpha || !bytes.Equal(again.image, s.image) {
			t.Fatalf("the frame is another still: %dx%d, %v", again.width, again.height, err)
		}
	})
}
