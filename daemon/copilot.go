package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/copilot"
	camera "github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/sample"
)

// copilotRows is how many rows of a place are read to find the hardest of them.
const copilotRows = 500

// copilotGrace is how long the runs of the copilot may take to end at the end.
const copilotGrace = 10 * time.Second

// A copilotDesk is where the copilot takes its steps.
type copilotDesk struct {
	*draft.Desk
	draft.Ledger
}

// openCopilot makes the copilot, and ends the runs that a process left which died.
func (d *Daemon) openCopilot(ctx context.Context) error {
	models, err := modelsOf(d.settings.Copilot)
	if err != nil {
		return err
	}
	d.copilot = copilot.New(copilot.Options{
		Ledger: d.store.CopilotRuns(),
		Desk:   copilotDesk{d.desk(), d.store},
		Camera: camera.Studio{Renderer: d.renderer, FetchFunc: d.fetchForCopilot},
		Models: models,
		Budget: d.settings.Copilot.Budget.limits(),

		RowsFunc:  d.rowsForCopilot,
		FontsFunc: d.fontsForCopilot,
		CrashFunc: d.crash,
		Log:       d.log,
	})
	return d.copilot.Recover(ctx)
}

// runCopilot ends the runs that are open when the daemon ends.
func (d *Daemon) runCopilot(ctx context.Context) error {
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), copilotGrace)
	defer cancel()
	if err := d.copilot.Close(grace); err != nil {
		d.log.Warn("runs of the copilot have not ended; the next start ends them", slog.Any("err", err))
	}
	return nil
}

// fetchForCopilot has a remote file in the assets library, as pictures of rows do.
func (d *Daemon) fetchForCopilot(ctx context.Context, r template.Remote) (string, error) {
	if !d.settings.Render.AllowsRemote() {
		return "", errRemoteOff
	}
	pin, err := d.assets.Fetch(ctx, r.URL, fmt.Sprintf("copilot@%d", time.Now().Unix()/60))
	return pin.Digest, err
}

// fontsForCopilot are the names of the machine's families.
func (d *Daemon) fontsForCopilot(ctx context.Context) ([]string, error) {
	families, err := trials{d}.Fonts(ctx)
	names := make([]string, len(families))
	for i, f := range families {
		names[i] = f.Family
	}
	return names, err
}

// rowsForCopilot are rows to try a template with, from a place as trials name it; ""
// is the first binding of the template that has rows, else its samples.
func (d *Daemon) rowsForCopilot(ctx context.Context, name, from string) ([]map[string]any, error) {
	form, err := d.draftForm(ctx, name)
	if err != nil {
		return nil, err
	}
	place, err := api.ReadRowPlace(from)
	if err != nil {
		return nil, err
	}
	if from == "" {
		if place, err = d.bestRows(ctx, name); err != nil {
			return nil, err
		}
	}
	rows, err := trials{d}.TrialRows(ctx, name, form, place)
	if err != nil {
		return nil, err
	}
	return firstRows(ctx, rows)
}

// draftForm is the draft of a template, compiled.
func (d *Daemon) draftForm(ctx context.Context, name string) (bindings.Template, error) {
	now, err := d.store.Draft(ctx, name)
	if err != nil {
		return nil, err
	}
	if !now.Open {
		return d.templates.at(ctx, name, now.Base)
	}
	return d.templates.document(&bindings.Document{Source: string(now.Source), Assets: now.Assets})
}

// bestRows is the place whose rows show most of what a template will meet.
func (d *Daemon) bestRows(ctx context.Context, name string) (api.RowPlace, error) {
	choices, err := trials{d}.RowChoices(ctx, name)
	if err != nil {
		return api.RowPlace{}, err
	}
	for _, c := range choices {
		if c.Kind == api.FromBinding && c.Rows > 0 {
			return api.RowPlace{Kind: c.Kind, Name: c.Name}, nil
		}
	}
	return api.RowPlace{Kind: api.FromSamples}, nil
}

// firstRows are the values of the first rows that have some.
func firstRows(ctx context.Context, rows sample.Rows) ([]map[string]any, error) {
	all := []map[string]any{}
	err := rows.Each(ctx, 0, func(r sample.Row) bool {
		if r.Err == nil && !r.Skipped && r.Values != nil {
			all = append(all, r.Values)
		}
		return len(all) < copilotRows && r.At < 10*copilotRows
	})
	return all, err
}

// forgetRuns ends the keeping of the copilot's runs.
func (d *Daemon) forgetRuns(ctx context.Context, now time.Time) error {
	keep := d.file().Copilot.Keep
	if keep == Forever {
		return nil
	}
	_, err := d.store.CopilotRuns().SweepRuns(ctx, keep.before(now))
	return err
}
