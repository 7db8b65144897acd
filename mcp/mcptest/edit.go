package mcptest

import (
	"bytes"
	"image"
	_ "image/jpeg" // as pictures come
	_ "image/png"
	"slices"
	"strings"
)

// A Draft is what is read of a template's draft.
type Draft struct {
	Revision int64
	Base     int64
	Open     bool
	Source   string
	Layers   []struct{ ID, Text string }
}

// Draft reads the draft of a template with its HTML.
func (c *Client) Draft(template string) Draft {
	c.tb.Helper()
	var d Draft
	c.Call("get_template", map[string]any{"template": template, "source": true}, &d)
	return d
}

// EditToPublish has the agent change the text of a layer of a template, from listing the
// templates to publishing the draft, with a look and a check on the way; each dry run and
// each step taken back leaves the document as it was, to the byte.
func EditToPublish(c *Client, template, layer, text string) {
	c.tb.Helper()
	var listed struct{ Templates []struct{ Name string } }
	c.Call("list_templates", map[string]any{"query": template}, &listed)
	if len(listed.Templates) != 1 || listed.Templates[0].Name != template {
		c.tb.Fatalf("templates %+v, want %s", listed, template)
	}
	before := c.Draft(template)
	if before.Open || !slices.ContainsFunc(before.Layers, func(l struct{ ID, Text string }) bool { return l.ID == layer }) {
		c.tb.Fatalf("the draft is %+v, want a closed one with the layer %s", before, layer)
	}
	var kinds struct{ Operations []struct{ Name string } }
	c.Call("list_operations", map[string]any{"operation": "set_text"}, &kinds)
	if len(kinds.Operations) != 1 {
		c.tb.Fatalf("operations %+v, want set_text alone", kinds)
	}
	edit := map[string]any{"template": template, "revision": before.Revision, "operations": []any{map[string]any{"op": "set_text", "id": layer, "text": text}}}

	tried := c.edit(edit, true)
	if now := c.Draft(template); now.Source != before.Source || now.Revision != before.Revision || now.Open {
		c.tb.Errorf("a dry run left revision %d, open %v", now.Revision, now.Open)
	}
	if !tried.DryRun || tried.Revision != before.Revision || !slices.Contains(tried.Touched, layer+"/text") && len(tried.Touched) == 0 {
		c.tb.Errorf("a dry run answers %+v", tried)
	}
	c.edit(edit, false)
	var undone step
	c.Call("undo_edit", map[string]any{"template": template}, &undone)
	if now := c.Draft(template); now.Source != before.Source || now.Revision != undone.Revision {
		c.tb.Errorf("taken back, the draft of revision %d is\n%s", now.Revision, now.Source)
	}
	edit["revision"] = undone.Revision
	done := c.edit(edit, false)
	if now := c.Draft(template); !strings.Contains(now.Source, text) || now.Revision != done.Revision {
		c.tb.Errorf("edited, the draft of revision %d is\n%s", now.Revision, now.Source)
	}
	c.look(template)
	var checked struct {
		Checked int
		Counts  struct{ Errors int }
	}
	c.Call("check_template", map[string]any{"template": template, "rows": []any{map[string]any{"title": "Mug", "price": 3}}}, &checked)
	if checked.Checked != 1 || checked.Counts.Errors != 0 {
		c.tb.Errorf("checked %+v", checked)
	}
	c.publish(template, before, done.Revision)
}

type step struct {
	Revision int64
	DryRun   bool
	Touched  []string
}

func (c *Client) edit(args map[string]any, dry bool) step {
	c.tb.Helper()
	var s step
	args["dry_run"] = dry
	c.Call("edit_template", args, &s)
	return s
}

// look wants a picture of the draft that is no larger than was asked for.
func (c *Client) look(template string) {
	c.tb.Helper()
	for most, long := range map[int]int{0: 400, 100: 100} {
		var v struct{ Width, Height int }
		picture := Picture(c.Call("render_preview", map[string]any{"template": template, "variables": map[string]any{"title": "Mug"}, "max_pixels": most}, &v))
		if picture == nil {
			c.tb.Fatal("a preview has no picture")
		}
		config, _, err := image.DecodeConfig(bytes.NewReader(picture.Data))
		if err != nil || max(config.Width, config.Height) != long || v.Width != 400 || v.Height != 200 {
			c.tb.Errorf("a picture of %d by %d of one of %d by %d: %v", config.Width, config.Height, v.Width, v.Height, err)
		}
	}
}

func (c *Client) publish(template string, before Draft, revision int64) {
	c.tb.Helper()
	args := map[string]any{"template": template, "revision": revision, "dry_run": true}
	var said, forecast struct {
		DryRun   bool
		Revision int64
		Forecast struct{ Revision int64 }
	}
	c.Call("forecast_publish", map[string]any{"template": template}, &forecast)
	c.Call("publish_template", args, &said)
	if now := c.Draft(template); !now.Open || now.Base != before.Base || !said.DryRun || said.Forecast.Revision != revision || forecast.Revision != revision {
		c.tb.Errorf("forecasts %+v and %+v left the draft open %v over %d", forecast, said, now.Open, now.Base)
	}
	args["dry_run"] = false
	var out struct {
		Published struct{ Version struct{ Version int64 } }
	}
	c.Call("publish_template", args, &out)
	if now := c.Draft(template); now.Open || now.Base != out.Published.Version.Version || now.Base <= before.Base {
		c.tb.Errorf("published as %+v, and the draft is open %v over %d", out, now.Open, now.Base)
	}
}
