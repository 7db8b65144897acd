package daemon

import (
	"net/url"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/sink"
)

// urls writes the addresses that pictifyd hands out.
type urls struct {
	base    string   // public_url without a slash at its end
	secrets []string // that sign; the first is for new ones
}

// Image is the immutable URL of the bytes with that hash.
func (u urls) Image(hash, ext string) string { return u.base + "/images/" + hash + "." + ext }

// Latest is the shortest URL under which the newest picture of an output of a
// binding's row is served, signed where the binding is not public. key is in its
// canonical form, which is that of a path.
func (u urls) Latest(b bindings.Config, key string, o sink.Output) string {
	file := key + "." + o.Ext
	if !isFirst(b, o) {
		file = key + "/" + url.PathEscape(o.Name) + "." + o.Ext
	}
	path := "/b/" + url.PathEscape(b.Name) + "/" + file
	if !b.Public {
		path = api.SignPath(path, u.secrets[0])
	}
	return u.base + path
}

// isFirst reports whether o is the first output of b with its extension.
func isFirst(b bindings.Config, o sink.Output) bool {
	outputs, _ := bindings.Outputs(b.Outputs, "outputs") // what is wrong was refused when the file was read
	for _, other := range outputs {
		if format, _ := render.ParseFormat(other.Format); format.Ext() == o.Ext {
			return other.Name == o.Name
		}
	}
	return true
}

// addressed are outputs with where their pictures are.
func (d *Daemon) addressed(binding, key string, outputs []sink.Output) []sink.Output {
	b := d.roster().binding(binding)
	for i, o := range outputs {
		if o.Hash == "" {
			continue
		}
		outputs[i].URL = d.urls.Image(o.Hash, o.Ext)
		if b.Name != "" {
			outputs[i].Latest = d.urls.Latest(b, key, o)
		}
	}
	return outputs
}

// OfJob is the signed address of a file of a job, good until expires.
func (u urls) OfJob(job, file string, expires time.Time) string {
	return u.base + api.SignPath(api.JobPath(job, file, expires), u.secrets[0])
}

// publicBase is where pictifyd is reached, as the configuration says or as it listens.
func publicBase(c api.Config, listens string) string {
	switch {
	case c.PublicURL != "":
		return strings.TrimRight(c.PublicURL, "/")
	case c.TLS.On():
		return "https://" + listens
	}
	return "http://" + listens
}
