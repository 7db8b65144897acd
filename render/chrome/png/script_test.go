package png

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// driver uses the script as a page does. It reads pictures and the calls to
// make, and writes an answer for each: the PNG, or the error's message.
const driver = `
const fs = require('node:fs');
const [dir] = process.argv.slice(2);
(0, eval)(fs.readFileSync(dir + '/encoder.js', 'utf8'));
const calls = JSON.parse(fs.readFileSync(dir + '/calls.json'));
const frame = ({ width, height, format }, pixels) => ({
  format, visibleRect: { width, height },
  async copyTo(view) {
    if (view.length !== pixels.length) throw new Error('a view of ' + view.length);
    await null;
    view.set(pixels);
  },
});
const encode = async (encoder, call, pixels) => {
  if (call.frame) return encoder.encodeFrame(frame(call, pixels), call.options);
  encoder.view(call.width, call.height).set(pixels);
  return encoder.encode(call.options);
};
(async () => {
  const encoder = await pictifydPNG.create(fs.readFileSync(dir + '/encoder.wasm'));
  for (const [i, call] of calls.entries()) {
    const pixels = fs.readFileSync(dir + '/' + i + '.pixels');
    let answer;
    try {
      const both = call.twice ? [encode(encoder, call, pixels), encode(encoder, call, pixels)] : [encode(encoder, call, pixels)];
      const [first, second] = await Promise.allSettled(both);
      const { status, value, reason } = second || first;
      answer = status === 'rejected' ? 'error: ' + reason.message : value === null ? 'null' : value;
    } catch (err) {
      answer = 'error: ' + err.message;
    }
    fs.writeFileSync(dir + '/' + i + '.answer', answer);
  }
})();
`

type scriptCall struct {
	Width   int            `json:"width"`
	Height  int            `json:"height"`
	Format  *string        `json:"format"`
	Frame   bool           `json:"frame"`
	Twice   bool           `json:"twice"`
	Options map[string]any `json:"options,omitempty"`

	pixels []byte
	want   *image.NRGBA
	fails  string
}

// drive makes the calls in node and returns the answers.
func drive(t *testing.T, calls []scriptCall) [][]byte {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no program node: make test installs it")
	}
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	write("calls.json", text)
	write("encoder.js", []byte(Script))
	write("encoder.wasm", Wasm)
	write("driver.cjs", []byte(driver))
	for i, c := range calls {
		write(fmt.Sprintf("%d.pixels", i), c.pixels)
	}
	if out, err := exec.CommandContext(t.Context(), node, filepath.Join(dir, "driver.cjs"), dir).CombinedOutput(); err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	var answers [][]byte
	for i := range calls {
		answer, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.answer", i)))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	return answers
}

func TestScriptEncodes(t *testing.T) {
	t.Parallel()
	opaque, clear, large := card(120, 80), alpha(90, 70), gradient(3000, 2700)
	name := func(format string) *string { return &format }
	frame := func(format string, pixels uint32) scriptCall {
		return scriptCall{Width: 120, Height: 80, Format: name(format), Frame: true, pixels: arrange(opaque.Pix, pixels), want: opaque}
	}
	bytesOf := func(options map[string]any, fails string) scriptCall {
		return scriptCall{Width: 90, Height: 70, Options: options, pixels: clear.Pix, want: clear, fails: fails}
	}
	twice := frame("BGRX", formatBGRX)
	twice.Twice, twice.fails = true, "another frame is in hand"
	video := frame("I420", formatRGBA)
	video.fails = "null"
	unknown := video
	unknown.Format = nil
	calls := []scriptCall{
		bytesOf(nil, ""),
		bytesOf(map[string]any{"mode": "small", "format": "RGBA", "density": 5669}, ""),
		frame("BGRX", formatBGRX), frame("BGRA", formatBGRX), frame("RGBX", formatRGBX), frame("RGBA", formatRGBA),
		video, unknown, twice,
		bytesOf(map[string]any{"mode": "tiny"}, "unknown mode"),
		bytesOf(map[string]any{"format": "ARGB"}, "unknown format"),
		bytesOf(map[string]any{"mode": "palette", "colours": 1}, "colours out of range"),
		bytesOf(map[string]any{"density": -1}, "density out of range"),
		{Width: 20000, Height: 1, pixels: []byte{}, fails: "too large"},
		{Width: 3000, Height: 2700, pixels: large.Pix, want: large}, // after which memory is given back
		bytesOf(map[string]any{"mode": "small"}, ""),
	}
	for i, answer := range drive(t, calls) {
		c := calls[i]
		switch what := fmt.Sprintf("call %d, %v", i, c.Options); {
		case c.fails != "":
			if !strings.Contains(string(answer), c.fails) {
				t.Errorf("%s: %.200q, want %q", what, answer, c.fails)
			}
		case !bytes.HasPrefix(answer, []byte("\x89PNG")):
			t.Errorf("%s: %.200q, want a PNG", what, answer)
		default:
			samePixels(t, decode(t, answer), c.want, what)
		}
	}
}

func TestModuleIsSmall(t *testing.T) {
	t.Parallel()
	// A page compiles it at its start.
	if len(Wasm) > 100<<10 || binary.LittleEndian.Uint32(Wasm) != 0x6d736100 {
		t.Errorf("%d bytes that begin with %x", len(Wasm), Wasm[:4])
	}
}
