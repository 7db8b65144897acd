package relayout

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A Preset is a size that people ask for by name.
type Preset struct {
	Name  string `json:"name"`  // of the size in the manifest
	Label string `json:"label"` // for people
	W     int    `json:"w"`
	H     int    `json:"h"`
	Safe  Safe   `json:"safe"` // what stays free of text
}

// Safe are the strips along the edges of a page that an app covers with its own
// controls: pictures may go there, text may not. In CSS pixels.
type Safe struct {
	Top    int `json:"top,omitempty"`
	Right  int `json:"right,omitempty"`
	Bottom int `json:"bottom,omitempty"`
	Left   int `json:"left,omitempty"`
}

// storySafe is what Instagram, TikTok and the like cover of 1920 pixels.
var storySafe = Safe{Top: 250, Bottom: 340}

type preset struct {
	Preset
	words []string // lower case, as people write them; the longest that stands in a text wins
}

var presets = []preset{
	{Preset{"story", "Story", 1080, 1920, storySafe}, []string{
		"instagram story", "insta story", "ig story", "story", "stories", "facebook story", "whatsapp status", "snapchat", "reel", "reels", "tiktok", "short", "shorts",
		"youtube short", "vertical video", "phone wallpaper", "9:16", "9x16", "hochformat video", "historia", "historias", "histoire", "storia", "storie", "história", "histórias", "verhaal",
		"ストーリー", "ストーリーズ", "スト―リー", "快拍", "限時動態", "스토리", "сторис", "история", "قصة", "ستوري", "hikaye", "relacja",
	}},
	{Preset{"square", "Square post", 1080, 1080, Safe{}}, []string{
		"square", "square post", "instagram post", "instagram square", "insta post", "ig post", "carousel", "1:1", "1x1", "quadrat", "quadratisch", "carré", "carre", "cuadrado", "cuadrada",
		"quadrado", "quadrada", "quadrato", "vierkant", "正方形", "スクエア", "方形", "정사각형", "квадрат", "مربع", "kare", "kwadrat",
	}},
	{Preset{"portrait", "Portrait post", 1080, 1350, Safe{}}, []string{
		"portrait", "portrait post", "instagram portrait", "feed portrait", "4:5", "4x5", "hochformat", "vertical post", "retrato", "ritratto", "staand", "縦長", "竖版", "세로", "вертикальный", "عمودي",
	}},
	{Preset{"og", "Link preview", 1200, 630, Safe{}}, []string{
		"og", "og image", "open graph", "opengraph", "link preview", "social card", "share image", "facebook link", "facebook post", "slack preview", "1.91:1", "linkvorschau", "vorschaubild",
		"vista previa", "aperçu de lien", "anteprima", "リンクプレビュー", "ogp", "链接预览",
	}},
	{Preset{"x", "Post on X", 1600, 900, Safe{}}, []string{
		"x", "x post", "post on x", "twitter", "twitter post", "tweet", "twitter card", "16:9", "16x9", "slide", "presentation", "wide", "widescreen", "landscape", "querformat", "breitbild", "paisaje", "apaisado", "paysage",
		"paisagem", "orizzontale", "横長", "ワイド", "横版", "가로", "горизонтальный", "عريض",
	}},
	{Preset{"pinterest", "Pin", 1000, 1500, Safe{}}, []string{"pinterest", "pin", "pinterest pin", "2:3", "2x3", "ピンタレスト"}},
	{Preset{"youtube", "YouTube thumbnail", 1280, 720, Safe{}}, []string{
		"youtube", "youtube thumbnail", "thumbnail", "video thumbnail", "yt thumbnail", "miniature youtube", "miniatura", "サムネ", "サムネイル", "缩略图", "섬네일", "превью",
	}},
	{Preset{"linkedin", "LinkedIn post", 1200, 627, Safe{}}, []string{"linkedin", "linkedin post", "linked in", "linkedin link"}},
	{Preset{"email", "E-mail header", 1200, 400, Safe{}}, []string{"email", "e-mail", "email header", "e-mail header", "newsletter", "newsletter header", "3:1", "email banner", "e-mail banner"}},
	{Preset{"banner", "Banner", 1500, 500, Safe{}}, []string{"banner", "header", "x header", "twitter header", "cover", "cover photo", "cabecera", "bannière", "バナー", "横幅", "배너", "баннер", "بانر"}},
	{Preset{"leaderboard", "Leaderboard ad", 728, 90, Safe{}}, []string{"leaderboard", "leaderboard ad", "leaderboard banner", "banner ad", "display ad"}},
	{Preset{"rectangle", "Medium rectangle ad", 300, 250, Safe{}}, []string{"medium rectangle", "rectangle ad", "mpu"}},
	{Preset{"facebook-cover", "Facebook cover", 1640, 624, Safe{}}, []string{"facebook cover", "facebook header", "fb cover"}},
	{Preset{"linkedin-banner", "LinkedIn banner", 1584, 396, Safe{}}, []string{"linkedin banner", "linkedin cover", "linkedin header"}},
	{Preset{"a4", "A4", 1240, 1754, Safe{}}, []string{"a4", "a4 portrait", "din a4", "print"}},
	{Preset{"a4-landscape", "A4 landscape", 1754, 1240, Safe{}}, []string{"a4 landscape", "a4 quer", "din a4 quer", "a4 querformat", "a4 paysage", "a4 apaisado"}},
	{Preset{"letter", "US Letter", 1275, 1650, Safe{}}, []string{"letter", "us letter"}},
	{Preset{"hd", "Full HD", 1920, 1080, Safe{}}, []string{"hd", "full hd", "fullhd", "1080p", "screen", "tv", "desktop wallpaper"}},
}

// Presets are the sizes that have a name.
func Presets() []Preset {
	all := make([]Preset, len(presets))
	for i, p := range presets {
		all[i] = p.Preset
	}
	return all
}

var sides = regexp.MustCompile(`(?i)(\d{2,5})\s*(?:px)?\s*(?:x|×|✕|\*|by|mal|par|por|per)\s*(\d{2,5})`)

// PresetFor is the size that words name, in the languages that they are often
// named in: "Instagram Story", "square post", "1080x1920". Sides that are written
// out win over names, and are a size of their own where no preset has them.
func PresetFor(words string) (Preset, bool) {
	text := plain(words)
	if m := sides.FindStringSubmatch(words); m != nil {
		w, errW := strconv.Atoi(m[1])
		h, errH := strconv.Atoi(m[2])
		if errW == nil && errH == nil && w >= 16 && h >= 16 && w <= maxSide && h <= maxSide {
			return sized(w, h, text), true
		}
	}
	best, length := Preset{}, 0
	for _, p := range presets {
		for _, word := range append([]string{p.Name}, p.words...) {
			if n := len(word); n > length && stands(text, word) {
				best, length = p.Preset, n
			}
		}
	}
	return best, length > 0
}

const maxSide = 10_000

// sized is the preset of these sides; words choose where several have them.
func sized(w, h int, text string) Preset {
	found := Preset{}
	for _, p := range presets {
		if p.W != w || p.H != h {
			continue
		}
		if found.Name == "" || stands(text, p.Name) {
			found = p.Preset
		}
	}
	if found.Name != "" {
		return found
	}
	name := strconv.Itoa(w) + "x" + strconv.Itoa(h)
	return Preset{Name: name, Label: strconv.Itoa(w) + " × " + strconv.Itoa(h), W: w, H: h, Safe: SafeOf(w, h)}
}

// SafeOf are the strips that stay free of text in a page of these sides: those of
// a story where the page has the shape of one.
func SafeOf(w, h int) Safe {
	if w <= 0 || h <= 0 || w < 540 || float64(h)/float64(w) < 1.7 || float64(h)/float64(w) > 2.3 {
		return Safe{}
	}
	return Safe{Top: storySafe.Top * h / 1920, Bottom: storySafe.Bottom * h / 1920}
}

// plain is text in lower case with single spaces for what is neither letter nor
// digit nor part of a ratio.
func plain(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == ':' || r == '.' || r == '-' {
			b.WriteRune(r)
		} else {
			b.WriteByte(' ')
		}
	}
	return " " + strings.Join(strings.Fields(strings.Trim(b.String(), ".:-")), " ") + " "
}

// stands reports whether word stands in text; text that is written without
// spaces between words may have it anywhere.
func stands(text, word string) bool {
	for _, r := range word {
		if r >= 0x0e00 && !unicode.Is(unicode.Latin, r) {
			return strings.Contains(text, word)
		}
	}
	i := strings.Index(text, " "+word)
	if i < 0 {
		return false
	}
	rest := text[i+1+len(word):]
	return strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, "-")
}
