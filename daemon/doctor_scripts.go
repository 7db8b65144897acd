package daemon

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os/exec"
	"strings"

	"github.com/pictifyd/pictifyd/internal/writing"
	"github.com/pictifyd/pictifyd/render"
)

// fontPackage is the Debian package with a font for a script.
func fontPackage(script string) string {
	switch script {
	case writing.Emoji:
		return "fonts-noto-color-emoji"
	case "Chinese", "Japanese", "Korean":
		return "fonts-noto-cjk"
	}
	return "fonts-noto-core"
}

// nobody is a code point that no font has a letter for: what is drawn for it is
// what is drawn for every letter that is missing.
const nobody = '\u0378'

const (
	cellSide    = 80 // pixels
	cellsInARow = 10
)

// drawnScripts says for which scripts there are fonts: a letter counts as missing
// that looks like one which no font has.
func drawnScripts(ctx context.Context, pool render.Renderer) []Sign {
	letters := []rune{nobody}
	for _, s := range writing.Scripts() {
		letters = append(letters, s.Samples...)
	}
	cells, err := drawLetters(ctx, pool, letters)
	if err != nil {
		return []Sign{signOf("fonts", fmt.Errorf("draw letters: %w", err))}
	}
	return scriptSigns(cells.shows)
}

// scriptSigns is a sign a script.
func scriptSigns(has func(letter rune, colour bool) bool) []Sign {
	signs := make([]Sign, 0, len(writing.Scripts()))
	for _, s := range writing.Scripts() {
		var lacking []string
		for _, letter := range s.Samples {
			if !has(letter, s.Name == writing.Emoji) { // black ones are of a font for texts
				lacking = append(lacking, string(letter))
			}
		}
		sign := Sign{Name: "font for " + s.Name, Health: Well, Says: "has " + string(s.Samples)}
		if len(lacking) > 0 {
			sign.Health, sign.Says, sign.Do = Missing, "no font has "+strings.Join(lacking, ", "), "apt-get install "+fontPackage(s.Name)
		}
		signs = append(signs, sign)
	}
	return signs
}

// letterCells is one picture with a cell a letter; the first is nobody's.
type letterCells struct {
	picture image.Image
	at      map[rune]image.Point
}

func drawLetters(ctx context.Context, pool render.Renderer, letters []rune) (letterCells, error) {
	var page strings.Builder
	page.WriteString(`<!doctype html><html><head><style>
body { margin: 0; background: #fff; color: #000; font: 48px sans-serif; }
div { position: absolute; overflow: hidden; text-align: center; }
</style></head><body>`)
	at := map[rune]image.Point{}
	for i, letter := range letters {
		p := image.Pt(i%cellsInARow, i/cellsInARow).Mul(cellSide)
		at[letter] = p
		fmt.Fprintf(&page, `<div style="left:%dpx;top:%dpx;width:%dpx;height:%[3]dpx;line-height:%[3]dpx">&#%d;</div>`, p.X, p.Y, cellSide, letter)
	}
	page.WriteString(`</body></html>`)
	rows := (len(letters) + cellsInARow - 1) / cellsInARow
	out, err := pool.Render(ctx, render.Request{
		Page: "letters", HTML: page.String(), Width: cellsInARow * cellSide, Height: rows * cellSide, Format: render.PNG,
	})
	if err != nil {
		return letterCells{}, err
	}
	picture, err := png.Decode(bytes.NewReader(out.Bytes))
	return letterCells{picture, at}, err
}

// shows reports whether a font has drawn the letter.
func (c letterCells) shows(letter rune, colour bool) bool {
	cell, missing := c.at[letter], c.at[nobody]
	ink, coloured, other := 0, 0, 0
	for y := range cellSide {
		for x := range cellSide {
			r, g, b, _ := c.picture.At(cell.X+x, cell.Y+y).RGBA()
			mr, mg, mb, _ := c.picture.At(missing.X+x, missing.Y+y).RGBA()
			if r != mr || g != mg || b != mb {
				other++
			}
			if min(r, g, b) < 0x8000 {
				ink++
			}
			if max(r, g, b)-min(r, g, b) > 0x4000 {
				coloured++
			}
		}
	}
	const few = 16 // pixels: less is no letter
	return ink > few && other > few && (!colour || coloured > few)
}

// listedScripts says what fontconfig knows of, where no Chrome can be asked.
func listedScripts(ctx context.Context) []Sign {
	list, err := exec.LookPath("fc-list")
	if err != nil {
		return []Sign{{"fonts", Warn, "not looked at: there is neither a Chrome that draws nor fc-list", "look again when Chrome works"}}
	}
	return scriptSigns(func(letter rune, colour bool) bool {
		pattern := fmt.Sprintf(":charset=%x", letter)
		if colour {
			pattern += ":color=True"
		}
		out, err := exec.CommandContext(ctx, list, pattern, "family").Output()
		return err == nil && len(bytes.TrimSpace(out)) > 0
	})
}
