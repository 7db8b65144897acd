package api

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// certificateForm is the compiled template of the world.
func certificateForm() bindings.Template {
	t, err := template.Parse(testTemplate, []byte(`<!doctype html><html><head><script type="application/json" id="p-template">{"sizes":{"default":{"w":40,"h":30},"story":{"w":30,"h":40}},`+
		`"vars":{"recipient_name":{"type":"text","required":true,"maxLength":40},"age":{"type":"number","default":1},"photo":{"type":"image","default":""}}}</script></head>`+
		`<body><p>{{ recipient_name }} {{ age }}</p><img src="{{ photo }}"></body></html>`), nil)
	if err != nil {
		panic(err)
	}
	return t
}

func (w *world) SourceRows(_ context.Context, source string, row func(batch.Row) error) error {
	rows, ok := w.stored[source]
	if !ok {
		return problem.New(problem.NotFound, "there is no source %q", source).WithSlug(slugSourceNotFound)
	}
	for _, r := range rows {
		if err := row(batch.Row{Key: r.Key, Values: r.Values}); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) BindingRows(ctx context.Context, binding string, row func(batch.Row) error) error {
	i := slices.IndexFunc(w.configured, func(b Binding) bool { return b.Name == binding })
	return w.SourceRows(ctx, w.configured[i].Source, row)
}

func (w *world) Plan(_ context.Context, job batch.Job) (*batch.Planner, error) {
	return batch.NewPlanner(job, certificateForm(), 1, job.CreatedAt, nil)
}

func (w *world) Assign(context.Context, *batch.Planner, []batch.Row) error { return nil }

func (w *world) Ask(_ context.Context, _ string, proposals []bindings.Proposal, told func(int, *batch.RowError)) {
	for i, p := range proposals {
		var e *batch.RowError
		for _, v := range p.Wants[0].Spec.Values {
			if w.unreachable[v] {
				e = &batch.RowError{Code: "asset_fetch_failed", Field: "variables.photo", Message: "404 from " + v}
			}
		}
		told(i, e)
	}
}

func (w *world) Draw(_ context.Context, _ string, proposals []bindings.Proposal) ([]batch.Result, error) {
	var all []batch.Result
	for _, p := range proposals {
		r := batch.Result{Index: p.Index, Key: p.Key, Done: true}
		for _, want := range p.Wants {
			r.Pictures = append(r.Pictures, batch.Picture{Output: want.Output, Hash: want.Fingerprint, Ext: "png", Format: "png", Width: 40, Height: 30})
		}
		all = append(all, r)
	}
	return all, nil
}
