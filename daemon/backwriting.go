package daemon

import (
	"fmt"
	"io"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// sourceConfig is the configuration of a source of the file, or nil.
func (s *Settings) sourceConfig(name string) connectors.Config {
	for _, x := range s.Sources {
		if x.Name == name {
			return x.Config
		}
	}
	return nil
}

// sinkSources checks that the sources are there that sinks of the file write with,
// and that each is one that its sink can use.
func (s *Settings) sinkSources() (problems problem.List) {
	for _, x := range s.Sinks {
		sourced, ok := x.Config.(sink.Sourced)
		if !ok || sourced.SourceName() == "" {
			continue
		}
		name := sourced.SourceName()
		if cfg := s.sourceConfig(name); cfg != nil {
			for _, p := range problemsOf(sourced.CheckSource(cfg)) {
				placed := config.Problem(x.node, p.Path, p.Code, "%s", p.Message)
				placed.Slug, placed.Hint = p.Slug, p.Hint
				problems = append(problems, placed)
			}
			continue
		}
		p := config.Problem(x.node, "source", problem.Invalid, "there is no source %q", name)
		var known []string
		for _, source := range s.Sources {
			known = append(known, source.Name)
		}
		if near, ok := config.Nearest(name, known); ok {
			p.WithHint("did you mean %q?", near)
		} else {
			p.WithHint("add it under sources:")
		}
		problems = append(problems, p)
	}
	return problems
}

// closeSinks lets go of the sinks that now does not have any more.
func (r *roster) closeSinks(now *roster) {
	for name, s := range r.sinks {
		if c, ok := s.(io.Closer); ok && now.sinks[name] != s {
			_ = c.Close() // it only lets go of connections
		}
	}
}

// echoesOf says which columns a binding reads that a sink of its own writes back to its
// source: each picture would change the row that it shows, and be out of date at
// once. What is read of joined rows only the churn detector sees.
func echoesOf(b *bindings.Binding, source connectors.Config, sinkOf func(name string) sink.Config) (problems problem.List) {
	cfg := b.Config()
	for _, name := range cfg.Sinks {
		back, ok := sinkOf(name).(sink.WriteBack)
		if !ok || source == nil {
			continue
		}
		for _, column := range back.WritesBack(cfg.Source, source) {
			for _, r := range b.Readers(column) {
				problems = append(problems, echoProblem(r, cfg.Source, column, name))
			}
		}
	}
	return problems
}

// echoProblem is that of one place that reads a column.
func echoProblem(r bindings.Reader, source, column, sink string) *problem.Error {
	what := fmt.Sprintf("the expression reads the column %q", column)
	hint := "read another column, or have the sink write to another one"
	switch {
	case r.Any:
		what = fmt.Sprintf("the expression may read any column, also %q", column)
	case r.Variable != "":
		what = fmt.Sprintf("the variable %q takes the column of its name", r.Variable)
		hint = fmt.Sprintf("map it to another column (map: { %s: … }), or have the sink write to another one", r.Variable)
	}
	return problem.New(problem.Invalid, "%s, which the sink %q writes back to the source %q: each picture would change the row that it shows", what, sink, source).
		WithSlug("echo").At(r.Path).WithHint("%s", hint)
}

// echoes is those of a binding of the file.
func (s *Settings) echoes(b *bindings.Binding) problem.List {
	return echoesOf(b, s.sourceConfig(b.Config().Source), func(name string) sink.Config {
		i := slices.IndexFunc(s.Sinks, func(x Sink) bool { return x.Name == name })
		if i < 0 {
			return nil
		}
		return s.Sinks[i].Config
	})
}

// echoes is those of any binding, with what there is now.
func (r *roster) echoes(b *bindings.Binding) problem.List {
	f := r.feeds[b.Config().Source]
	if f == nil {
		return nil // lacks has said so
	}
	return echoesOf(b, f.config, func(name string) sink.Config { return r.sinkConfigs[name] })
}
