package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// findable checks that the source of a live binding finds single rows.
func (s *Settings) findable(node config.Node, b bindings.Config) problem.List {
	if !b.Live.On() {
		return nil
	}
	for _, source := range s.Sources {
		if source.Name == b.Source && !connectors.Finds(source.Config) {
			return problem.List{noFinder(node, b)}
		}
	}
	return nil
}

func noFinder(node config.Node, b bindings.Config) *problem.Error {
	return config.Problem(node, "live", problem.Invalid, "the source %q can't be asked for one row by its key", b.Source).
		WithHint(`let its address name the row, as in url: "https://shop.example/products/{{ key }}" of kind http, or leave live out`)
}

// checkPlaceholder draws up the placeholder of a binding, if its template is good.
func (s *Settings) checkPlaceholder(b bindings.Config, templates map[string]*template.Template) problem.List {
	if b.Placeholder == "" {
		return nil
	}
	t, known := templates[b.Placeholder]
	if !known {
		return problem.List{noPlaceholder(s.nodes[b.Name], b, sortedKeys(templates))}
	}
	if t == nil {
		return nil // said already
	}
	_, err := bindings.PlaceholderOf(b, t, 0, 1, time.Now())
	return s.place(b.Name, err)
}

func noPlaceholder(node config.Node, b bindings.Config, names []string) *problem.Error {
	p := config.Problem(node, "placeholder", problem.Invalid, "there is no template %q", b.Placeholder)
	if near, ok := config.Nearest(b.Placeholder, names); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("it is the name of a template, that is drawn with its defaults")
}

// standsIn says why the placeholder of a caller's binding can't be one.
func (d *Daemon) standsIn(ctx context.Context, c api.ResourceChange, node config.Node, b bindings.Config) problem.List {
	if b.Placeholder == "" {
		return nil
	}
	if err := c.TemplateFunc(b.Placeholder); err != nil {
		return problem.All(err)
	}
	t, version, err := d.templates.newest(ctx, b.Placeholder)
	if problem.CodeOf(err) == problem.NotFound && err != nil {
		return problem.List{noPlaceholder(node, b, nil)}
	}
	if err == nil {
		_, err = bindings.PlaceholderOf(b, t, version, 1, time.Now())
	}
	return problemsOf(err)
}
