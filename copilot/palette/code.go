package palette

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template/markup"
)

// isColor reports whether a token is a colour, as far as can be told.
func (p *probe) isColor(token string) bool {
	value, known := p.tokens[token]
	if !known {
		return true // defined elsewhere: used where a colour stands
	}
	if _, ok := p.solved[token]; ok {
		return true
	}
	parts := partsOf(value, false)
	return len(parts) == 1 && parts[0].from == 0 && parts[0].to == len(value) && parts[0].kind != rowPart
}

// clear reports whether a part lets what is below it show.
func (p *probe) clear(part part) bool {
	switch part.kind {
	case literalPart:
		return part.color.a < 1
	case tokenPart:
		c, ok := p.solved[part.token]
		return ok && c.a < 1 || p.tokens[part.token] == "transparent"
	}
	return false
}

// Codes are colours of a lattice, far enough from each other and from black and
// white.
func codeAt(i int) uint32 {
	const steps = 7
	i = (i*151 + 40) % (steps * steps * steps) // 151 and 343 have no common divisor
	channel := func(n int) uint32 { return uint32(16 + 36*n) }
	return channel(i%steps)<<16 | channel(i/steps%steps)<<8 | channel(i/steps/steps)
}

const maxCodes = 340

func css(code uint32) string { return fmt.Sprintf("#%06x", code) }

// encode gives each declaration and each token its code, and makes the documents
// with those of the declarations.
func (p *probe) encode(src []byte) {
	codes := map[int]*source{}
	for i, s := range p.sites {
		parts := p.colors(s)
		if len(parts) == 0 {
			continue
		}
		var tokens []string
		for _, part := range parts {
			if part.kind == tokenPart && !slices.Contains(tokens, part.token) {
				tokens = append(tokens, part.token)
			}
		}
		codes[i] = p.source(i, tokens, s.family)
	}
	for _, name := range p.order {
		if p.isColor(name) {
			p.source(-1, []string{name}, noFamily)
		}
	}
	veils := false
	write := func(veiled bool) look.Doc {
		doc := markup.Parse(src)
		i := -1
		rewrite(sitesOf(doc), func(s site) (string, bool) {
			i++
			src := codes[i]
			switch {
			case src == nil:
				return "", false
			case s.place == inHTML:
				return css(src.code), true
			case s.family == surface && strings.Contains(s.value, "url("):
				code := css(p.picture.code)
				if s.property == "background-image" {
					code = "linear-gradient(" + code + "," + code + ")"
				}
				return code, true
			}
			return replaced(s.value, p.colors(s), func(part part) string {
				if s.family == surface && p.clear(part) {
					veils = true
					if veiled && part.text != "transparent" {
						return css(src.code)
					}
				}
				if p.clear(part) || s.family == shadow && !p.ring(part) {
					return "transparent"
				}
				return css(src.code)
			}), true
		})
		return p.doc.With([]byte(doc.Print()))
	}
	p.coded = write(false)
	if veils {
		p.veiled = write(true)
	}
}

// ring reports whether a shadow is one that draws a line of colour.
func (p *probe) ring(part part) bool {
	c := part.color
	if part.kind == tokenPart {
		c = p.solved[part.token]
	}
	return standsOut(c)
}

// colors are the colours of a site, each as a whole.
func (p *probe) colors(s site) []part {
	if s.place == inHTML {
		return []part{{to: len(s.value), text: s.value, kind: mixedPart}}
	}
	parts := partsOf(s.value, false)
	return slices.DeleteFunc(parts, func(part part) bool {
		switch part.kind {
		case tokenPart:
			return !p.isColor(part.token)
		case rowPart:
			alone := func(i int) bool { return i < 0 || i >= len(s.value) || strings.IndexByte(" ,;)(", s.value[i]) >= 0 }
			return !alone(part.from-1) || !alone(part.to) || strings.Contains(s.value, "url(")
		}
		return false
	})
}

// bareSheet hides letters, and leaves what has the colour of text.
const bareSheet = `@layer{*,::before,::after,::first-letter,::first-line,::marker{-webkit-text-fill-color:transparent!important;` +
	`text-decoration-color:transparent!important}text,tspan,textPath{fill:transparent!important}}`

func (p *probe) codeSheet() string {
	var b strings.Builder
	b.WriteString(`@layer{*,::before,::after{text-shadow:none!important;transition:none!important}img{object-position:-99999px -99999px!important;` +
		`filter:none!important;background:` + css(p.picture.code) + `!important}}:root{`)
	for _, s := range p.sources {
		if s.site < 0 && len(s.tokens) == 1 && slices.Contains(p.order, s.tokens[0]) && !p.clear(part{kind: tokenPart, token: s.tokens[0]}) {
			b.WriteString("--" + s.tokens[0] + ":" + css(s.code) + "!important;")
		}
	}
	b.WriteString("}")
	return b.String()
}

// noImages hides the images and keeps their places.
const noImages = `@layer{img{object-position:-99999px -99999px!important;background:none!important}}`
