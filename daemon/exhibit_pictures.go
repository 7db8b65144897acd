package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/template"
)

const (
	// variantsAtOnce are drawn for an experiment at the same time.
	variantsAtOnce = 4
	// keepTries is how often pictures are drawn whose bytes are being given up while
	// they are to be kept.
	keepTries = 3
)

// fallbackKinds are the kinds of a fallback image, and their extensions.
var fallbackKinds = map[string]string{
	"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/avif": "avif",
}

// prepare draws what the variants of e show, and keeps it: nobody waits for a picture
// while the experiment runs, and no arm is slower than another. What stands in the way
// is a problem that names the variant, and the variable where one is at fault. Of an
// experiment whose variables come from rows it draws nothing, and checks the rest.
func (x *exhibit) prepare(ctx context.Context, e experiment.Experiment) error {
	d := x.daemon
	for range keepTries {
		pictures, err := d.drawVariants(ctx, e)
		if err != nil {
			return err
		}
		if pictures[""], err = d.fallbackOf(ctx, e, pictures); err != nil {
			return err
		}
		ok, err := d.store.ShowExperiment(ctx, e.ID, pictures)
		if err == nil && ok {
			x.failing.mended(e.ID)
		}
		if err != nil || ok {
			return err
		}
	}
	return retry.After(problem.New(problem.Overloaded, "the pictures of experiment %q are being removed while they are made", e.Slug).WithHint("try again"), time.Second)
}

func (d *Daemon) drawVariants(ctx context.Context, e experiment.Experiment) (map[string]experiment.Picture, error) {
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	drawn, faults := make([]experiment.Picture, len(e.Variants)), make([]problem.List, len(e.Variants))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(variantsAtOnce)
	for i := range e.Variants {
		work.Go(func() error {
			var err error
			drawn[i], err = d.drawVariant(ctx, e, e.Variants[i], epoch)
			faults[i] = ofVariant(err, i, e.Variants[i])
			if faults[i] != nil {
				return nil // the others are judged as well
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	if err := problem.List(slices.Concat(faults...)).Err(); err != nil {
		return nil, err
	}
	pictures := map[string]experiment.Picture{}
	for i, v := range e.Variants {
		if !e.Rows {
			pictures[v.ID] = drawn[i]
		}
	}
	return pictures, nil
}

// drawVariant draws what a variant shows from its own variables alone.
func (d *Daemon) drawVariant(ctx context.Context, e experiment.Experiment, v experiment.Variant, epoch int64) (experiment.Picture, error) {
	form, version, err := d.templates.newest(ctx, v.Template)
	if err != nil {
		if p := (*problem.Error)(nil); errors.As(err, &p) && p.Code == problem.NotFound {
			return experiment.Picture{}, problem.New(problem.Invalid, "there is no template %q", v.Template).WithSlug(p.Slug).At("templateUid").
				WithHint("publish it first; GET /templates lists those that there are")
		}
		return experiment.Picture{}, err
	}
	output := bindings.Output{Size: v.Size, Theme: v.Theme}
	output.Format, output.Quality = formatOf(e), e.Output.Quality
	drawing, err := bindings.NewDrawing(form, version, epoch, []bindings.Output{output})
	if err != nil {
		return experiment.Picture{}, ofFields(err)
	}
	if err := knownVariables(v, form.Vars()); err != nil || e.Rows {
		return experiment.Picture{}, err
	}
	values, err := valuesOf(v.Variables)
	if err != nil {
		return experiment.Picture{}, err
	}
	proposal := drawing.Propose("experiment", "", values, time.Now(), bindings.PriorityNow)
	if p := proposal.Problem; p != nil {
		return experiment.Picture{}, rowFault(*p)
	}
	want := proposal.Wants[0]
	made, err := easel{d}.Draw(ctx, want, nil)
	if err != nil {
		return experiment.Picture{}, fmt.Errorf("draw variant %q: %w", v.ID, err)
	}
	if made.Problem != nil {
		return experiment.Picture{}, rowFault(*made.Problem)
	}
	return experiment.Picture{Hash: made.Hash, Ext: made.Ext, Fingerprint: want.Fingerprint}, nil
}

// rowFault is a fault of the variables of a variant.
func rowFault(p bindings.Problem) *problem.Error {
	return problem.New(problem.Invalid, "%s", p.Message).WithSlug(p.Code).At(p.Field)
}

// knownVariables refuses variables that the template does not have: they are mistakes.
func knownVariables(v experiment.Variant, vars []template.Var) error {
	names := make([]string, len(vars))
	for i, one := range vars {
		names[i] = one.Name
	}
	var list problem.List
	for _, name := range slices.Sorted(maps.Keys(v.Variables)) {
		if slices.Contains(names, name) {
			continue
		}
		p := problem.New(problem.Invalid, "template %q has no variable %q", v.Template, name).WithSlug("unknown_variable").At("variables." + name)
		if near, ok := config.Nearest(name, names); ok {
			p.WithHint("did you mean %q?", near)
		}
		list = append(list, p)
	}
	return list.Err()
}

// valuesOf are variables as planning wants them.
func valuesOf(variables map[string]json.RawMessage) (map[string]any, error) {
	if len(variables) == 0 {
		return map[string]any{}, nil
	}
	text, err := json.Marshal(variables)
	if err != nil {
		return nil, err
	}
	return bindings.Values(text)
}

// ofFields places problems of an output where a variant has its fields.
func ofFields(err error) error {
	list := problem.All(err)
	for _, p := range list {
		switch p.Path {
		case "outputs[0].format", "outputs[0].quality":
			p.Path = "outputConfig." + strings.TrimPrefix(p.Path, "outputs[0].")
		default:
			p.Path = strings.TrimPrefix(p.Path, "outputs[0].")
		}
	}
	return list.Err()
}

// ofVariant is what is wrong with the i-th variant, with its place in the definition;
// nil where err is the machine's.
func ofVariant(err error, i int, v experiment.Variant) problem.List {
	if err == nil || machineFault(err) {
		return nil
	}
	list := problem.All(err)
	for _, p := range list {
		if p.Code != problem.Invalid {
			return nil
		}
	}
	for _, p := range list {
		p.Message = fmt.Sprintf("variant %q: %s", v.ID, p.Message)
		if !strings.HasPrefix(p.Path, "outputConfig") {
			p.Path = fmt.Sprintf("variants[%d].%s", i, p.Path)
		}
	}
	return list
}

// fallbackOf is what stands for a variant whose picture cannot be shown.
func (d *Daemon) fallbackOf(ctx context.Context, e experiment.Experiment, pictures map[string]experiment.Picture) (experiment.Picture, error) {
	if e.FallbackImageURL != "" {
		return d.fetchFallback(ctx, e.FallbackImageURL)
	}
	for _, v := range e.Variants {
		if picture, ok := pictures[v.ID]; ok && v.Control {
			return picture, nil
		}
	}
	hashes, err := d.blobs.PutMany(ctx, [][]byte{d.plainPicture(ctx, e)})
	if err != nil {
		return experiment.Picture{}, err
	}
	return experiment.Picture{Hash: hashes[0], Ext: "png"}, nil
}

func (d *Daemon) fetchFallback(ctx context.Context, url string) (experiment.Picture, error) {
	pin, err := d.assets.Fetch(ctx, url, "")
	if err != nil {
		if machineFault(err) {
			return experiment.Picture{}, err
		}
		return experiment.Picture{}, problem.New(problem.Invalid, "the fallback image could not be fetched: %w", err).WithSlug("asset_fetch_failed").
			At("fallbackImageUrl").WithHint("correct the address, or leave it out: the control stands in then")
	}
	ext, ok := fallbackKinds[pin.ContentType]
	if !ok {
		return experiment.Picture{}, problem.New(problem.Invalid, "the fallback image is %s", pin.ContentType).WithSlug("unknown_format").
			At("fallbackImageUrl").WithHint("a fallback is a PNG, JPEG, WebP, GIF or AVIF")
	}
	return experiment.Picture{Hash: pin.Digest, Ext: ext}, nil
}

// plainGrey is of what shows nothing.
var plainGrey = color.Gray{Y: 0xee}

// plainPicture is a plain PNG of the size of the control.
func (d *Daemon) plainPicture(ctx context.Context, e experiment.Experiment) []byte {
	width, height := 1200, 630
	for _, v := range e.Variants {
		form, _, err := d.templates.newest(ctx, v.Template)
		if err != nil || !v.Control {
			continue
		}
		for i, size := range form.Sizes() {
			if size.Name == v.Size || v.Size == "" && i == 0 {
				width, height = size.Width, size.Height
			}
		}
	}
	return plainPNG(width, height)
}

// plainPNG is a picture of nothing.
func plainPNG(width, height int) []byte {
	plain := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{plainGrey})
	var b bytes.Buffer
	_ = png.Encode(&b, plain) // a buffer takes everything
	return b.Bytes()
}
