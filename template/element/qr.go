package element

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/boombuler/barcode/qr"
)

var qrKind = Kind{
	Name:    "qr",
	Summary: "a QR code of a text or an address",
	Options: []Option{
		{Name: "level", Summary: "how much of the code may be damaged: L 7 %, M 15 %, Q 25 %, H 30 %", Values: []string{"L", "M", "Q", "H"}, Default: "M"},
		yesNo("quiet", true, "the empty border of four modules that scanners need"),
	},
	read: readQR,
	draw: drawQR,
}

var qrLevels = map[string]qr.ErrorCorrectionLevel{"L": qr.L, "M": qr.M, "Q": qr.Q, "H": qr.H}

// A qrRoom is how much a code of version 40, the largest, holds of texts of an
// alphabet. Encoding takes a millisecond, too long for the check of a row.
type qrRoom struct {
	alphabet *regexp.Regexp
	unit     string
	most     map[string]int
}

var qrRooms = []qrRoom{
	{regexp.MustCompile(`^[0-9]*$`), "digits", map[string]int{"L": 7089, "M": 5596, "Q": 3993, "H": 3057}},
	{regexp.MustCompile(`^[0-9A-Z $%*+./:-]*$`), "capitals and digits", map[string]int{"L": 4296, "M": 3391, "Q": 2420, "H": 1852}},
	{regexp.MustCompile(``), "bytes of text", map[string]int{"L": 2953, "M": 2331, "Q": 1663, "H": 1273}},
}

func roomFor(text string) qrRoom {
	i := slices.IndexFunc(qrRooms, func(r qrRoom) bool { return r.alphabet.MatchString(text) })
	return qrRooms[i]
}

const qrQuiet = 4

type qrData struct {
	Text  string `json:"text"`
	Level string `json:"level"`
	Quiet bool   `json:"quiet"`
}

func readQR(r *reading) (any, error) {
	if empty(r.value) {
		return nil, nil
	}
	text, err := plain("a QR code", r.value)
	if err != nil {
		return nil, err
	}
	level := r.settings["level"]
	if room := roomFor(text); len(text) > room.most[level] {
		return nil, bad("a QR code of level %s holds %d %s, and this text has %d", level, room.most[level], room.unit, len(text)).
			WithHint("shorten it, or lower p-level")
	}
	return qrData{text, level, r.on("quiet")}, nil
}

func drawQR(data []byte) string {
	d, ok := decode[qrData](data)
	level, known := qrLevels[d.Level]
	if !ok || !known || d.Text == "" {
		return ""
	}
	code, err := qr.Encode(d.Text, level, qr.Auto)
	if err != nil {
		return ""
	}
	size, margin := code.Bounds().Dx(), 0
	if d.Quiet {
		margin = qrQuiet
	}
	var modules strings.Builder
	for y := range size {
		for _, r := range runs(code, y) {
			box(&modules, margin+r.from, margin+y, r.length, 1)
		}
	}
	side := size + 2*margin
	return fmt.Sprintf(`<svg class="p-code p-qr" viewBox="0 0 %d %d" width="100%%" height="100%%" role="img" aria-label="%s" shape-rendering="crispEdges">`+
		`<rect class="p-code-paper" width="%d" height="%d" %s/><path class="p-code-ink" d="%s" %s/></svg>`,
		side, side, escape(d.Text), side, side, codePaper, modules.String(), codeInk)
}
