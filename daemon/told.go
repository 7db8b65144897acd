package daemon

import (
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// toldProblems judges the file's sources that are called, by their nodes: what
// none of them can see by itself.
func (s *Settings) toldProblems(nodes map[string]config.Node) problem.List {
	var list problem.List
	paths := map[string]string{}
	for _, source := range s.Sources {
		told, ok := source.Config.(connectors.Told)
		if !ok {
			continue
		}
		node := nodes[source.Name]
		if first := paths[told.HookPath()]; first != "" {
			list = append(list, config.Problem(node, "path", problem.Invalid, "the source %q has the path %q as well", first, told.HookPath()).
				WithHint("give each its own"))
		}
		paths[told.HookPath()] = source.Name
		list = append(list, s.guards(node, told)...)
		list = append(list, rereads(node, source.Name, told.Rereads(), slices.Sorted(maps.Keys(nodes)))...)
	}
	return list
}

// guards refuses a source that anybody may call where anybody can: what it is
// told becomes pictures, and overwrites those that were.
func (s *Settings) guards(node config.Node, told connectors.Told) problem.List {
	if !told.Unguarded() || s.Server.ThisMachineOnly() {
		return nil
	}
	return problem.List{config.Problem(node, "open", problem.Invalid, "the server can be reached from other machines, and everybody could send rows").
		WithSlug("hook_unguarded").WithHint("give the secret of the sender as secret or under verify, or have the server listen on 127.0.0.1 without a public_url")}
}

// rereads refuses to have a source read again that there is not.
func rereads(node config.Node, name, other string, known []string) problem.List {
	switch {
	case other == "":
		return nil
	case other == name:
		return problem.List{config.Problem(node, "refresh", problem.Invalid, "a source that is told of rows can't be read").
			WithHint("name the source that has the rows")}
	case slices.Contains(known, other):
		return nil
	}
	p := config.Problem(node, "refresh", problem.Invalid, "there is no source %q", other)
	if near, ok := config.Nearest(other, known); ok {
		p.WithHint("did you mean %q?", near)
	}
	return problem.List{p}
}

// takenPath refuses a path that another source of the roster has. told is nil of
// a source that is not called.
func (r *roster) takenPath(name string, told connectors.Told) error {
	if told == nil {
		return nil
	}
	if f := r.hook(told.HookPath()); f != nil && f.name != name {
		return problem.New(problem.Conflict, "another source is called at /hooks/%s", told.HookPath()).WithSlug("hook_path_taken").At("path").
			WithHint("give it another path")
	}
	return nil
}

// proposeTold judges a source of a caller that is called.
func (d *Daemon) proposeTold(p *proposed, node config.Node, s Source) error {
	told, ok := s.Config.(connectors.Told)
	if !ok {
		return nil
	}
	if err := p.roster.takenPath(s.Name, told); err != nil {
		return err
	}
	return append(d.settings.guards(node, told), rereads(node, s.Name, told.Rereads(), p.sources)...).Err()
}
