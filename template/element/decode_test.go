package element

import (
	"image"
	"image/color"
	"image/draw"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/pictifyd/pictifyd/expr"
)

var (
	viewBox   = regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
	codePath  = regexp.MustCompile(`class="p-code-ink" d="([^"]*)"`)
	rectangle = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z`)
)

// picture paints the path that is in the markup of a code: what is decoded is
// what was drawn. A code without height is stretched to 40 modules.
func picture(tb testing.TB, markup string) image.Image {
	tb.Helper()
	const scale = 3
	box, d := viewBox.FindStringSubmatch(markup), codePath.FindStringSubmatch(markup)
	if box == nil || d == nil {
		tb.Fatalf("no code in %s", markup)
	}
	if rest := rectangle.ReplaceAllString(d[1], ""); rest != "" {
		tb.Fatalf("the path has %q besides rectangles", rest)
	}
	width, height := atoi(box[1]), atoi(box[2])
	stretch := 1
	if height == 1 {
		stretch = 40
	}
	img := image.NewGray(image.Rect(0, 0, width*scale, height*stretch*scale))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, r := range rectangle.FindAllStringSubmatch(d[1], -1) {
		x, y, w, h := atoi(r[1]), atoi(r[2]), atoi(r[3]), atoi(r[4])
		at := image.Rect(x*scale, y*stretch*scale, (x+w)*scale, (y+h)*stretch*scale)
		if !at.In(img.Bounds()) || w == 0 || h == 0 || r[5] != r[3] {
			tb.Fatalf("the rectangle %s is not inside of %s", r[0], box[0])
		}
		draw.Draw(img, at, image.NewUniform(color.Black), image.Point{}, draw.Src)
	}
	return img
}

func atoi(s string) int { n, _ := strconv.Atoi(s); return n }

func read(tb testing.TB, reader gozxing.Reader, markup string, hints map[gozxing.DecodeHintType]any) string {
	tb.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture(tb, markup))
	if err != nil {
		tb.Fatal(err)
	}
	plain := map[gozxing.DecodeHintType]interface{}{gozxing.DecodeHintType_TRY_HARDER: true}
	for k, v := range hints {
		plain[k] = v
	}
	result, err := reader.Decode(bitmap, plain)
	if err != nil {
		tb.Fatalf("it cannot be read: %v", err)
	}
	return result.GetText()
}

func TestQRCodesAreReadBack(t *testing.T) {
	texts := []string{
		"https://pictify.example/t/9f3c2a?x=1&y=<2>", "ä日本", "0123456789", "HELLO WORLD-42", "🎟 Eintritt", "a",
		strings.Repeat("long text ", 40),
	}
	for _, level := range []string{"L", "M", "Q", "H"} {
		for _, text := range texts {
			svg := drawn(t, "qr", "level="+level, text)
			got := read(t, qrcode.NewQRCodeReader(), svg, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_CHARACTER_SET: "UTF-8"})
			if got != text {
				t.Errorf("level %s: %.50q is read as %.50q", level, text, got)
			}
		}
	}
}

func TestTheLargestQRCodeIsReadBack(t *testing.T) {
	text := strings.Repeat("z", 2953)
	if got := read(t, qrcode.NewQRCodeReader(), drawn(t, "qr", "level=L", text), nil); got != text {
		t.Errorf("%d bytes are read as %d", len(text), len(got))
	}
}

func TestTheRoomOfAQRCodeIsThatOfTheEncoder(t *testing.T) {
	for _, letter := range []string{"7", "Q", "z"} {
		for level, most := range roomFor(letter).most {
			text := strings.Repeat(letter, most)
			if _, err := qr.Encode(text, qrLevels[level], qr.Auto); err != nil {
				t.Errorf("level %s has no room for %d times %s", level, most, letter)
			}
			if _, err := mustNew(t, "qr", "level="+level).Data(text+letter, nil, expr.Env{}); err == nil {
				t.Errorf("level %s takes %d times %s", level, most+1, letter)
			}
			if _, err := qr.Encode(text+letter, qrLevels[level], qr.Auto); err == nil {
				t.Errorf("level %s has room for more than %d times %s", level, most, letter)
			}
		}
	}
}

func TestQRCodesHaveFourModulesOfQuietAroundThem(t *testing.T) {
	with, without := drawn(t, "qr", "", "quiet"), drawn(t, "qr", "quiet=false", "quiet")
	if a, b := atoi(viewBox.FindStringSubmatch(with)[1]), atoi(viewBox.FindStringSubmatch(without)[1]); a != b+8 {
		t.Errorf("%d modules with the border, %d without", a, b)
	}
	if !strings.Contains(with, `d="M4 4h7`) || !strings.Contains(without, `d="M0 0h7`) {
		t.Error("the first finder is not where the border ends")
	}
}

func TestArticleNumbersAreReadBack(t *testing.T) {
	for _, code := range []string{"4006381333931", "9780201379624", "0012345678905", "5901234123457"} {
		for _, opts := range []string{"", ";text=false"} {
			if got := read(t, oned.NewEAN13Reader(), drawn(t, "barcode", "symbology=ean13"+opts, code), nil); got != code {
				t.Errorf("%s is read as %s", code, got)
			}
		}
	}
	if got := read(t, oned.NewEAN8Reader(), drawn(t, "barcode", "symbology=ean8", "9638-5074"), nil); got != "96385074" {
		t.Errorf("EAN-8 is read as %s", got)
	}
}

func TestTheDigitsOfAnArticleNumberStandBelowTheirBars(t *testing.T) {
	svg := drawn(t, "barcode", "symbology=ean13", "4 006381 333931")
	var digits strings.Builder
	last := -1.0
	for _, m := range regexp.MustCompile(`<text x="([\d.]+)" y="\d+">(\d)</text>`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.ParseFloat(m[1], 64)
		if x <= last {
			t.Errorf("the digit %s at %v is not right of %v", m[2], x, last)
		}
		last = x
		digits.WriteString(m[2])
	}
	if digits.String() != "4006381333931" {
		t.Errorf("the digits are %s", digits.String())
	}
	long := regexp.MustCompile(`M(\d+) 3h\d+v74`).FindAllStringSubmatch(svg, -1)
	var at []int
	for _, m := range long {
		at = append(at, atoi(m[1])-eanForms["ean13"].left)
	}
	if want := []int{0, 2, 46, 48, 92, 94}; len(at) != len(want) || at[2] != want[2] || at[5] != want[5] {
		t.Errorf("the long bars stand at %v, not at %v", at, want)
	}
}

func TestCode128IsReadBack(t *testing.T) {
	for _, text := range []string{"PICT-2026-00042", "1234567890", "a", "Mixed 0099 case ~!", strings.Repeat("Zq7", 26) + "99"} {
		if got := read(t, oned.NewCode128Reader(), drawn(t, "barcode", "", text), nil); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func drawn(tb testing.TB, kind, opts, text string) string {
	tb.Helper()
	e := mustNew(tb, kind, opts)
	data, err := e.Data(text, nil, expr.Env{})
	if err != nil {
		tb.Fatal(err)
	}
	return e.Markup(data)
}
