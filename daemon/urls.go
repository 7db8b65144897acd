package daemon

import (
	"net/url"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/api"
)

// urls writes the addresses that pictifyd hands out.
type urls struct {
	base    string   // public_url without a slash at its end
	secrets []string // that sign; the first is for new ones
}

// Image is the immutable URL of the bytes with that hash.
func (u urls) Image(hash, ext string) string { return u.base + "/images/" + hash + "." + ext }

// Stable is the URL under which the newest image of a binding's row is served.
// key is in its canonical form, which is that of a path.
func (u urls) Stable(binding, key, ext string) string {
	return u.base + "/b/" + url.PathEscape(binding) + "/" + key + "." + ext
}

// OfJob is the signed address of a file of a job, good until expires.
func (u urls) OfJob(job, file string, expires time.Time) string {
	return u.base + api.SignPath(api.JobPath(job, file, expires), u.secrets[0])
}

// publicBase is where pictifyd is reached, as the configuration says or as it listens.
func publicBase(public, listens string) string {
	if public == "" {
		return "http://" + listens
	}
	return strings.TrimRight(public, "/")
}
