package api

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	// Nobody between may keep which variant somebody is shown; Gmail's proxy asks
	// again each time, too.
	shownCaching = "private, no-cache, max-age=0"

	unitCookie = "pf_unit"
	unitPrefix = "web_" // of units that browsers were given
	unitAge    = 365 * 24 * time.Hour

	paramMode    = "mode"
	customPrefix = "custom." // of the query parameters that conditions may ask for

	slugBadUnit = "bad_unit"
)

// pixel is a GIF of one point that is not to be seen.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// showVariant shows the image of an experiment to whoever has no address of their own.
func (s *Server) showVariant(w http.ResponseWriter, r *http.Request) error {
	openToAll(w.Header())
	slug, _, ok := splitFile(r.PathValue("file"))
	if !ok {
		return noVariant(r)
	}
	v := visitOf(r)
	v.Unit = s.ownUnit(w, r, v.Client)
	return s.show(w, r, slug, v)
}

// showUnit shows a unit the image of an experiment.
func (s *Server) showUnit(w http.ResponseWriter, r *http.Request) error {
	openToAll(w.Header())
	unit, _, ok := splitFile(r.PathValue("file"))
	if !ok {
		return noVariant(r)
	}
	v := visitOf(r)
	v.Unit = unit
	if err := checkUnit(unit); err != nil {
		return err
	}
	return s.show(w, r, r.PathValue("experiment"), v)
}

func noVariant(r *http.Request) error {
	return problem.New(problem.NotFound, "there is no image %s", r.URL.Path).WithSlug(slugImageNotFound).
		WithHint("the path is /s/SLUG.EXT or /s/SLUG/UNIT.EXT, with the unit percent-encoded")
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, slug string, v Visit) error {
	shown, err := s.deps.Exhibit.Show(r.Context(), slug, v)
	if err != nil {
		return err
	}
	defer shown.Bytes.Close()
	h := w.Header()
	h.Set("Cache-Control", shownCaching)
	h.Set("X-Robots-Tag", "noindex")
	h.Set("X-Variant", shown.Variant)
	if r.URL.Query().Get(paramMode) == "redirect" && !shown.Unkept {
		h.Set("Location", "/images/"+shown.Hash+"."+shown.Ext)
		w.WriteHeader(http.StatusFound)
		return nil
	}
	h.Set("Content-Type", contentTypes[shown.Ext])
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("ETag", `"`+shown.Variant+"-"+shown.Hash+`"`)
	http.ServeContent(w, r, "", time.Time{}, shown.Bytes)
	return nil
}

// clickVariant counts a click of a unit, and leads to the destination of the experiment.
func (s *Server) clickVariant(w http.ResponseWriter, r *http.Request) error {
	v, err := unitVisit(r)
	if err != nil {
		return err
	}
	to, err := s.deps.Exhibit.Click(r.Context(), r.PathValue("experiment"), v)
	if err != nil {
		return err
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	w.Header().Set("Location", to) // as it is: http.Redirect would read it as seen from here
	w.WriteHeader(http.StatusFound)
	return nil
}

// showPixel notes that a unit opened what carries its image.
func (s *Server) showPixel(w http.ResponseWriter, r *http.Request) error {
	openToAll(w.Header())
	v, err := unitVisit(r)
	if err != nil {
		return err
	}
	if err := s.deps.Exhibit.View(r.Context(), r.PathValue("experiment"), v); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", shownCaching)
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Type", contentTypes["gif"])
	h.Set("ETag", `"pixel"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(pixel))
	return nil
}

// unitVisit is the visit of the unit in the path, or where there is none, of the one
// that the browser was given.
func unitVisit(r *http.Request) (Visit, error) {
	v := visitOf(r)
	if v.Unit = r.PathValue("unit"); v.Unit == "" {
		v.Unit = cookieUnit(r)
		return v, nil
	}
	return v, checkUnit(v.Unit)
}

// visitOf is who asks, as far as it may be known: nothing of it is kept but the name
// of the client.
func visitOf(r *http.Request) Visit {
	query, client := r.URL.Query(), experiment.Classify(experiment.VisitOf(r.Method, r.Header))
	v := Visit{Signature: query.Get(paramSign), Client: client, Facts: experiment.Facts{Device: client.Device, Country: countryOf(r.Header), Time: time.Now()}}
	for name, values := range query {
		if custom, ok := strings.CutPrefix(name, customPrefix); ok && custom != "" {
			if v.Facts.Custom == nil {
				v.Facts.Custom = map[string]string{}
			}
			v.Facts.Custom[custom] = values[0]
		}
	}
	return v
}

// countryHeaders are those by which CDNs say where a request comes from. A visitor can
// send one as well; it then chooses its own image, and no more.
var countryHeaders = []string{"CF-IPCountry", "CloudFront-Viewer-Country", "X-Vercel-IP-Country", "X-Country-Code"}

func countryOf(h http.Header) string {
	for _, name := range countryHeaders {
		if country := strings.ToUpper(h.Get(name)); len(country) == 2 && country != "XX" {
			return country
		}
	}
	return ""
}

// checkUnit wants a unit that can be kept, and that stands in a path.
func checkUnit(unit string) error {
	if unit == "." || unit == ".." {
		return problem.New(problem.Invalid, "a unit that is %s cannot stand in an address", unit).WithSlug(slugBadUnit).At("unit")
	}
	err := experiment.CheckUnit(unit)
	for _, p := range problem.All(err) {
		return p.WithSlug(slugBadUnit)
	}
	return err
}

var unitsOfCookies = regexp.MustCompile(`^` + unitPrefix + `[A-Z2-7]{26}$`)

// cookieUnit is the unit that the browser was given; "" where it was given none.
func cookieUnit(r *http.Request) string {
	cookie, err := r.Cookie(unitCookie)
	if err != nil || !unitsOfCookies.MatchString(cookie.Value) {
		return ""
	}
	return cookie.Value
}

// ownUnit is the unit of a browser that has no address of its own. A page of the same
// site gets one; of others browsers drop the cookie, so that each image would be
// another unit.
func (s *Server) ownUnit(w http.ResponseWriter, r *http.Request, c experiment.Client) string {
	if unit := cookieUnit(r); unit != "" {
		return unit
	}
	if site := r.Header.Get("Sec-Fetch-Site"); !c.Countable || site != "same-origin" && site != "same-site" {
		return ""
	}
	unit := unitPrefix + rand.Text()
	base, err := url.Parse(s.base)
	http.SetCookie(w, &http.Cookie{
		Name: unitCookie, Value: unit, Path: "/", MaxAge: int(unitAge.Seconds()), SameSite: http.SameSiteLaxMode,
		Secure: isSecure(r) || err == nil && base.Scheme == "https", // a page's own script may read it, to send events
	})
	return unit
}
