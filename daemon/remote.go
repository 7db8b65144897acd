package daemon

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pictifyd/pictifyd/client"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// A remote is a daemon that templates are carried to and from.
type remote struct{ client.Remote }

// A remoteTemplate is the newest version of a template at a remote.
type remoteTemplate struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`
	Digest  string `json:"digest"`
	Author  string `json:"author"`
}

// templates are those that the key may use.
func (r remote) templates(ctx context.Context) ([]remoteTemplate, error) {
	var list struct {
		Templates []remoteTemplate `json:"templates"`
	}
	data, err := r.Ask(ctx, http.MethodGet, "/templates", nil, nil, draft.MaxArchive)
	if err != nil {
		return nil, err
	}
	return list.Templates, r.Decode(data, &list)
}

// archive is a version of a template, packed.
func (r remote) archive(ctx context.Context, t remoteTemplate) (draft.Push, error) {
	data, err := r.Ask(ctx, http.MethodGet, "/templates/"+url.PathEscape(t.Name)+"/archive.zip?version="+strconv.FormatInt(t.Version, 10), nil, nil, draft.MaxArchive)
	if err != nil {
		return draft.Push{}, err
	}
	p, err := draft.Unpack(data)
	if err == nil && p.Name != t.Name {
		err = problem.New(problem.Upstream, "%s sent the template %q instead of %q", r.URL, p.Name, t.Name)
	}
	return p, err
}

// put makes a packed template the newest version, after version.
func (r remote) put(ctx context.Context, name string, version int64, archive []byte) (remoteTemplate, error) {
	header := http.Header{"Content-Type": {"application/zip"}}
	if version == 0 {
		header.Set("If-None-Match", "*")
	} else {
		header.Set("If-Match", strconv.Quote(strconv.FormatInt(version, 10)))
	}
	data, err := r.Ask(ctx, http.MethodPut, "/templates/"+url.PathEscape(name), header, archive, draft.MaxArchive)
	if err != nil {
		return remoteTemplate{}, err
	}
	var answer struct {
		Version remoteTemplate `json:"version"`
	}
	err = r.Decode(data, &answer)
	answer.Version.Name = name
	return answer.Version, err
}
