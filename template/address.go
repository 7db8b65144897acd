package template

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	assetDir   = "assets/"
	assetPath  = "/assets/"
	remotePath = "/remote/"
)

// An Asset is a file of the template's own that a document refers to.
type Asset struct {
	Path   string // absolute: "/assets/shoe.jpg"
	Digest string
}

// A Remote is an address on the network that stood in a document and was
// replaced by Path.
type Remote struct {
	URL  string // absolute, http or https, without a fragment
	Path string // "/remote/" and the SHA-256 of URL, hex
	Var  string // the variables that it came from; "" for the template's own text

	// Optional: the document can do without, see Page.FillWithout.
	Optional bool
}

// An addressBook judges addresses: what a page may refer to, and as what.
type addressBook struct {
	lookup func(path string) (digest string, ok bool)
	paths  func() []string // all of them, for suggestions; nil for none
}

var (
	scheme    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)
	safeAsset = regexp.MustCompile(`^[A-Za-z0-9._/-]+$`)
	fileExt   = regexp.MustCompile(`\.[A-Za-z0-9]{1,8}$`)

	lineBreaks  = strings.NewReplacer("\t", "", "\n", "", "\r", "")
	pathEscapes = strings.NewReplacer("?", "%3F", "#", "%23", "\\", "%5C")
)

// resolve is the address s in the form that a page is filled with: "", "#id", a
// data: address, an absolute URL, or an asset as "/assets/path#digest". The
// digest stands in it so that other bytes make another fingerprint.
func (b addressBook) resolve(s string, p place) (string, *problem.Error) {
	s = clean(s)
	lower := strings.ToLower(s)
	switch {
	case s == "" || s[0] == '#':
		return encode(s), nil
	case strings.HasPrefix(lower, "http:"), strings.HasPrefix(lower, "https:"):
		return absolute(s)
	case p == inLink && (strings.HasPrefix(lower, "mailto:") || strings.HasPrefix(lower, "tel:")):
		return encode(s), nil
	case p != inLink && strings.HasPrefix(lower, "data:image/"):
		return encode(s), nil
	}
	if path, fragment, ok := ownPath(s); ok {
		return b.asset(path, fragment)
	}
	return "", notAllowed(s)
}

func notAllowed(s string) *problem.Error {
	p := problem.New(problem.Invalid, "%s is not an address that a page may use", quote(s)).WithSlug(BadURL)
	if m := scheme.FindString(s); m != "" {
		return p.WithHint("%s is not allowed; use http, https, data:image/ or a file in assets/", m)
	}
	if strings.HasPrefix(s, "//") {
		return p.WithHint("write https: in front")
	}
	return p.WithHint("use http, https, data:image/ or a file in assets/")
}

// clean removes what browsers remove before they look at an address.
func clean(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if !strings.ContainsAny(s, "\t\n\r") {
		return s
	}
	return lineBreaks.Replace(s)
}

func absolute(s string) (string, *problem.Error) {
	u, err := url.Parse(encode(s))
	if err != nil || u.Host == "" || u.Opaque != "" {
		return "", problem.New(problem.Invalid, "%s is not a complete URL", quote(s)).WithSlug(BadURL)
	}
	if u.User != nil {
		return "", problem.New(problem.Invalid, "the URL of %s holds a user name", quote(u.Host)).WithSlug(BadURL)
	}
	u.Scheme = strings.ToLower(u.Scheme)
	u.Host = strings.ToLower(u.Host)
	return encode(u.String()), nil
}

// ownPath is the path in the assets folder that s names.
func ownPath(s string) (path, fragment string, ok bool) {
	s, fragment, _ = strings.Cut(s, "#")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "./"), "/")
	if !strings.HasPrefix(s, assetDir) {
		return "", "", false
	}
	if plain, err := url.PathUnescape(s); err == nil {
		s = plain
	}
	return s, fragment, true
}

func (b addressBook) asset(path, fragment string) (string, *problem.Error) {
	digest, ok := b.lookup(path)
	if !ok {
		p := problem.New(problem.Invalid, "there is no file %s", quote(path)).WithSlug(MissingAsset)
		if b.paths != nil {
			if near := nearest(path, b.paths()); near != "" {
				p.WithHint("did you mean %q?", near)
			}
		}
		return "", p
	}
	// A path of other characters would come back percent-encoded from the
	// browser; the digest is as good a name.
	name := strings.TrimPrefix(path, assetDir)
	if !safeAsset.MatchString(name) || strings.Contains(name, "..") {
		name = digest + fileExt.FindString(name)
	}
	s := assetPath + name + "#" + digest
	if fragment != "" {
		s += "#" + encode(fragment)
	}
	return s, nil
}

// encode percent-encodes what could end an address in HTML or in CSS.
func encode(s string) string {
	const hexDigits = "0123456789ABCDEF"
	first := 0
	for first < len(s) && !endsAddress(s, first) {
		first++
	}
	if first == len(s) { // nearly always
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 20)
	b.WriteString(s[:first])
	for i := first; i < len(s); i++ {
		c := s[i]
		if endsAddress(s, i) {
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// endsAddress reports whether the byte at i could end an address, or is no byte of one.
func endsAddress(s string, i int) bool {
	c := s[i]
	lonePercent := c == '%' && !(i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]))
	return c <= ' ' || c >= 0x7f || lonePercent || strings.IndexByte("\"'()<>\\`{}|^", c) >= 0
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// within escapes a value that stands behind before in an address: it may add
// folders to a path, but neither open a query nor, in one, another parameter.
func within(before, value string) string {
	if before == "" {
		return value
	}
	if strings.ContainsAny(before, "?#") {
		return url.QueryEscape(value)
	}
	return pathEscapes.Replace(value)
}

// printed is how the resolved address stands in the page, and what it refers to.
func printed(resolved string, p place) (text string, asset *Asset, remote *Remote) {
	switch {
	case strings.HasPrefix(resolved, assetPath):
		path, rest, _ := strings.Cut(resolved, "#")
		digest, fragment, ok := strings.Cut(rest, "#")
		if p != inLink {
			asset = &Asset{Path: path, Digest: digest}
		}
		if ok {
			path += "#" + fragment
		}
		text = path
	case strings.HasPrefix(resolved, "http") && p != inLink:
		address, fragment, ok := strings.Cut(resolved, "#")
		remote = newRemote(address)
		text = remote.Path
		if ok {
			text += "#" + fragment
		}
	default:
		text = resolved
	}
	if p == inCSSURL { // one text for <style>, which has no entities, and for style="", which has
		text = strings.ReplaceAll(text, "&", "%26")
	}
	return text, asset, remote
}

func newRemote(address string) *Remote {
	sum := sha256.Sum256([]byte(address))
	return &Remote{URL: address, Path: remotePath + hex.EncodeToString(sum[:])}
}
