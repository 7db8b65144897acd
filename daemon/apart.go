package daemon

import (
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/sink"
)

// apart checks that a binding's sinks have a place for each of its outputs. configOf
// is the configuration of a sink, nil for none.
func apart(node config.Node, b bindings.Config, configOf func(name string) sink.Config) (problems problem.List) {
	full, err := bindings.Outputs(b.Outputs, "outputs")
	if err != nil {
		return nil // said already
	}
	outputs := make([]sink.Output, len(full))
	for i, o := range full {
		outputs[i] = sink.Output{Name: o.Name, Format: o.Format, Ext: render.Format(o.Format).Ext()}
	}
	for _, name := range b.Sinks {
		of, ok := configOf(name).(sink.PerOutput)
		if !ok {
			continue
		}
		for _, p := range problemsOf(of.CheckOutputs(outputs)) {
			problems = append(problems, config.Problem(node, "sinks", problem.Invalid, "the sink %q can't take this binding: %s", name, p.Message).
				WithSlug("outputs_meet").WithHint("%s", p.Hint))
		}
	}
	return problems
}

// sinkConfig is the configuration of a sink of the file; nil for none.
func (s *Settings) sinkConfig(name string) sink.Config {
	for _, one := range s.Sinks {
		if one.Name == name {
			return one.Config
		}
	}
	return nil
}

// sinkConfig is the configuration of a sink of the file, of a caller, or of this
// very change; nil for none that can be used.
func (d *Daemon) sinkConfig(p *proposed, name string) sink.Config {
	if of := d.file().sinkConfig(name); of != nil {
		return of
	}
	r, ok := p.roster.made[resourceID{ofSink, name}]
	for _, now := range p.resources {
		if now.Kind == ofSink && now.Name == name {
			r, ok = now, true
		}
	}
	if !ok {
		return nil
	}
	s, _, err := d.readSink(name, []byte(r.Spec), d.vault.opening(resourceID{ofSink, name}, r.Secrets))
	if err != nil {
		return nil
	}
	return s.Config
}
