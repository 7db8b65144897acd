package draft

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// SetAsset is the operation by which a draft gets a file, or loses one. It is the
// desk's own: the document does not change by it.
const SetAsset = "set_asset"

// An assetOp is that operation.
type assetOp struct {
	Op     string  `json:"op"`
	Path   string  `json:"path"`
	Digest *string `json:"digest"` // of its bytes in the assets library; null takes the file away
}

var (
	filePath = regexp.MustCompile(`^assets/[A-Za-z0-9._/-]+$`)
	digest   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// PutFile is the operation that gives a draft the file under path ("assets/shoe.jpg");
// an empty digest takes it away.
func PutFile(path, digest string) json.RawMessage {
	op := assetOp{Op: SetAsset, Path: path}
	if digest != "" {
		op.Digest = &digest
	}
	raw, _ := json.Marshal(op) // texts always encode
	return raw
}

// CheckFilePath refuses what cannot be the path of a template's file.
func CheckFilePath(p string) *problem.Error {
	if !filePath.MatchString(p) || path.Clean(p) != p || len(p) > 200 {
		return problem.New(problem.Invalid, "%q cannot be the path of a file of a template", p).At("path").
			WithHint("letters, digits, ., _, - and / behind assets/, as in assets/shoe.jpg")
	}
	return nil
}

// asAssetOp reads an operation if it is the desk's own.
func asAssetOp(raw json.RawMessage) (op assetOp, ours bool, err *problem.Error) {
	var name struct{ Op string }
	if json.Unmarshal(raw, &name) != nil || name.Op != SetAsset {
		return op, false, nil
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&op); err != nil {
		return op, true, problem.New(problem.Invalid, "%s has a path and a digest: %w", SetAsset, err)
	}
	if op.Digest != nil && !digest.MatchString(*op.Digest) {
		return op, true, problem.New(problem.Invalid, "%q is not the digest of a file", *op.Digest).At("digest").
			WithHint("PUT the file to /templates/NAME/draft/assets/PATH")
	}
	return op, true, CheckFilePath(op.Path)
}

// run applies operations to a document and its files. Runs of operations on the
// document are applied at once.
func (k *Desk) run(src []byte, assets map[string]string, ops []json.RawMessage) (Result, map[string]string, error) {
	out, files := Result{Source: src}, maps.Clone(assets)
	if files == nil {
		files = map[string]string{}
	}
	for i := 0; i < len(ops); {
		op, ours, p := asAssetOp(ops[i])
		switch {
		case p != nil:
			copied := *p
			return Result{}, nil, problem.List{copied.At(strings.TrimSuffix(fmt.Sprintf("ops[%d].%s", i, p.Path), "."))}
		case ours:
			out.add(Result{Source: out.Source, Inverse: []json.RawMessage{PutFile(op.Path, files[op.Path])}, Touched: []string{"asset:" + op.Path}})
			setFile(files, op)
			i++
			continue
		}
		end := i + 1
		for end < len(ops) {
			if _, ours, _ := asAssetOp(ops[end]); ours {
				break
			}
			end++
		}
		made, err := k.ApplyFunc(out.Source, ops[i:end])
		if err != nil {
			return Result{}, nil, laterOps(err, i)
		}
		out.add(made)
		i = end
	}
	if len(files) > maxFiles {
		return Result{}, nil, problem.New(problem.TooLarge, "a template has at most %d files", maxFiles)
	}
	return out, files, nil
}

func setFile(files map[string]string, op assetOp) {
	if op.Digest == nil {
		delete(files, op.Path)
		return
	}
	files[op.Path] = *op.Digest
}

// add is what came behind r.
func (r *Result) add(next Result) {
	r.Source = next.Source
	r.Inverse = slices.Concat(next.Inverse, r.Inverse)
	for _, name := range next.Touched {
		if !slices.Contains(r.Touched, name) {
			r.Touched = append(r.Touched, name)
		}
	}
}

var opPath = regexp.MustCompile(`^ops\[(\d+)\]`)

// laterOps names operations by their places in the whole list.
func laterOps(err error, by int) error {
	if by == 0 {
		return err
	}
	problems := problem.All(err)
	for i, p := range problems {
		m := opPath.FindStringSubmatch(p.Path)
		if m == nil {
			continue
		}
		var n int
		_, _ = fmt.Sscan(m[1], &n) // digits
		copied := *p
		problems[i] = copied.At(fmt.Sprintf("ops[%d]%s", n+by, p.Path[len(m[0]):]))
	}
	return problems
}

// newFiles are the digests that files has and assets had not.
func newFiles(assets, files map[string]string) []string {
	var list []string
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if assets[path] != files[path] {
			list = append(list, files[path])
		}
	}
	return list
}
