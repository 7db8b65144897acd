package api

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
)

// exportJob puts an ended job of n rows of two outputs, each with bytes; the
// rows in failed have errors.
func (w *world) exportJob(id string, n int, failed ...int64) {
	w.acceptedJob(id, n, failed...)
	w.change(func() {
		job := &w.jobs[len(w.jobs)-1]
		for _, format := range []string{"png", "pdf"} {
			job.Outputs = append(job.Outputs, batch.Output{Name: format, Encoding: bindings.Encoding{Format: format}})
		}
		for i := range w.results[id] {
			r := &w.results[id][i]
			r.Pictures = nil
			values := fmt.Sprintf(`{"name":"Row %d","price":%d.50}`, i, i)
			w.rows[id] = append(w.rows[id], batch.Row{Index: r.Index, Key: r.Key, Values: []byte(values)})
			for _, format := range []string{"png", "pdf"} {
				if r.Error != nil {
					continue
				}
				data := fmt.Appendf(nil, "%s of %s", format, r.Key)
				w.blobs[hashOf(data)] = data
				r.Pictures = append(r.Pictures, batch.Picture{Output: format, Hash: hashOf(data), Ext: format, Format: format})
			}
		}
	})
}

// exports are the files of a job with their types.
var exports = map[string]string{
	"results.csv": "text/csv; charset=utf-8; header=present", "failed.csv": "text/csv; charset=utf-8; header=present",
	"results.zip": "application/zip", "results.pdf": "application/pdf",
}

func TestResultsAreTakenAsFiles(t *testing.T) {
	w := newWorld()
	w.exportJob("batch_1", 3, 1)
	s := mustServer(t, open(), w)
	url := func(row int, format string) string {
		return "http://127.0.0.1:8080/images/" + hashOf(fmt.Appendf(nil, "%s of C-%d", format, row)) + "." + format
	}
	for path, want := range map[string]string{
		"results.csv": "name,price,url,pdf,error\r\n" +
			"Row 0,0.50," + url(0, "png") + "," + url(0, "pdf") + ",\r\nRow 1,1.50,,,the photo is missing\r\n" +
			"Row 2,2.50," + url(2, "png") + "," + url(2, "pdf") + ",\r\n",
		"failed.csv":                                       "name,price,_error,_code,_field\r\nRow 1,1.50,the photo is missing,missing_variable,variables.photo\r\n",
		"failed.csv?bom=true&delimiter=;":                  "\uFEFFname;price;_error;_code;_field\r\nRow 1;1.50;the photo is missing;missing_variable;variables.photo\r\n",
		"failed.csv?delimiter=tab":                         "name\tprice\t_error\t_code\t_field\r\nRow 1\t1.50\tthe photo is missing\tmissing_variable\tvariables.photo\r\n",
		"failed.csv?delimiter=%3B":                         "name;price;_error;_code;_field\r\nRow 1;1.50;the photo is missing;missing_variable;variables.photo\r\n",
		"results.pdf":                                      "C-0: pdf of C-0\nC-2: pdf of C-2\n",
		"results.pdf?output=pdf":                           "C-0: pdf of C-0\nC-2: pdf of C-2\n",
		"failed.csv?escapeFormulas=1&bom=false&unknown=no": "name,price,_error,_code,_field\r\nRow 1,1.50,the photo is missing,missing_variable,variables.photo\r\n",
	} {
		if got := get("/jobs/batch_1/"+path).to(t, s).Body.String(); got != want {
			t.Errorf("%s (-want +got):\n%s", path, cmp.Diff(want, got))
		}
	}
	if got := mustFiles(t, get("/jobs/batch_1/results.zip").to(t, s).Body.Bytes()); !slices.Equal(got, []string{"C-0.png", "C-0.pdf", "C-2.png", "C-2.pdf", "manifest.csv"}) {
		t.Errorf("the archive has %q", got)
	}
	if got := mustFiles(t, get("/jobs/batch_1/results.zip?folders=true").to(t, s).Body.Bytes()); !slices.Equal(got, []string{"png/C-0.png", "pdf/C-0.pdf", "png/C-2.png", "pdf/C-2.pdf", "manifest.csv"}) {
		t.Errorf("with folders the archive has %q", got)
	}
}

// mustFiles are the names of an archive's files, each of which can be read.
func mustFiles(tb testing.TB, data []byte) (names []string) {
	tb.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			tb.Fatalf("%s: %v", f.Name, err)
		}
		names = append(names, f.Name)
	}
	return names
}

func TestRowsOfManyPagesMeetWhatWasSent(t *testing.T) {
	w := newWorld()
	const rows = 3*exportPage + 7
	w.exportJob("batch_1", rows, 0, exportPage, exportPage+1, rows-1)
	s := mustServer(t, open(), w)
	lines := strings.Split(get("/jobs/batch_1/results.csv").to(t, s).Body.String(), "\r\n")
	if len(lines) != rows+2 {
		t.Fatalf("%d lines, want %d and an end", len(lines)-1, rows+1)
	}
	for i, line := range lines[1 : rows+1] {
		if !strings.HasPrefix(line, fmt.Sprintf("Row %d,%d.50,", i, i)) {
			t.Fatalf("line %d is %s", i, line)
		}
	}
	failed := strings.Split(get("/jobs/batch_1/failed.csv").to(t, s).Body.String(), "\r\n")
	for i, row := range []int{0, exportPage, exportPage + 1, rows - 1} {
		if !strings.HasPrefix(failed[i+1], fmt.Sprintf("Row %d,%d.50,the photo", row, row)) {
			t.Errorf("failed line %d is %s", i, failed[i+1])
		}
	}
	if len(failed) != 6 {
		t.Errorf("failed.csv has %d lines", len(failed))
	}
}

func TestDownloadCanBeResumed(t *testing.T) {
	w := newWorld()
	w.exportJob("batch_1", 20, 3)
	s := mustServer(t, open(), w)
	for file, kind := range exports {
		path := "/jobs/batch_1/" + file
		whole := get(path).to(t, s)
		tag := whole.Header().Get("ETag")
		size := strconv.Itoa(whole.Body.Len())
		if whole.Code != 200 || tag == "" || whole.Header().Get("Content-Type") != kind || whole.Header().Get("Content-Length") != size ||
			whole.Header().Get("Accept-Ranges") != "bytes" || whole.Header().Get("Last-Modified") != "" ||
			whole.Header().Get("Content-Disposition") != "attachment; filename=tpl_certificate-batch_1-"+file {
			t.Errorf("%s: status %d, header %v", file, whole.Code, whole.Header())
		}
		head := call{method: http.MethodHead, path: path}.to(t, s)
		if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("ETag") != tag || head.Header().Get("Content-Length") != size {
			t.Errorf("%s: HEAD answers %d, %v", file, head.Code, head.Header())
		}
		again := mustServer(t, open(), w) // also one that has never made it
		part := get(path).with("Range", "bytes=30-").with("If-Range", tag).to(t, again)
		if part.Code != 206 || part.Body.String() != whole.Body.String()[30:] || part.Header().Get("Content-Range") != "bytes 30-"+strconv.Itoa(whole.Body.Len()-1)+"/"+size {
			t.Errorf("%s: from 30 on %d, %v", file, part.Code, part.Header())
		}
		if out := get(path).with("Range", "bytes=30-").with("If-Range", `"other"`).to(t, s); out.Code != 200 || out.Body.String() != whole.Body.String() {
			t.Errorf("%s: of another file the part is %d", file, out.Code)
		}
		if out := get(path).with("Range", "bytes=9999999-").to(t, s); out.Code != 416 {
			t.Errorf("%s: behind the end %d", file, out.Code)
		}
		if out := get(path).with("If-None-Match", tag).to(t, s); out.Code != 304 {
			t.Errorf("%s: known already %d", file, out.Code)
		}
	}
}

func TestSignedAddressOpensEachFile(t *testing.T) {
	w := newWorld()
	w.exportJob("batch_1", 2, 1)
	s := mustServer(t, locked(
		Key{Name: "reader", Key: config.NewSecret("reads"), Scopes: []Scope{RendersRead}},
		Key{Name: "templates", Key: config.NewSecret("templates"), Scopes: []Scope{TemplatesRead}},
	), w)
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Second)
	for file := range exports {
		path := JobPath("batch_1", file, soon)
		if out := get(SignPath(path, urlKey)).to(t, s); out.Code != 200 {
			t.Errorf("%s signed: %d", file, out.Code)
		}
		if out := get(SignPath(path, urlKey)+"&partial=true").to(t, s); out.Code != 200 {
			t.Errorf("%s signed, with a choice: %d", file, out.Code)
		}
		if out := get("/jobs/batch_1/"+file).bearer("reads").to(t, s); out.Code != 200 {
			t.Errorf("%s with a key that reads: %d", file, out.Code)
		}
		mustProblem(t, get("/jobs/batch_1/"+file).bearer("templates").to(t, s), 403, "scope_missing")
		mustProblem(t, get("/jobs/batch_1/"+file).to(t, s), 401, "missing_authorization")
		mustProblem(t, get(SignPath(JobPath("batch_1", file, past), urlKey)).to(t, s), 401, "missing_authorization")
		mustProblem(t, get(SignPath(JobPath("batch_1", "results.ndjson", soon), urlKey[1:])).to(t, s), 401, "missing_authorization")
		mustProblem(t, get(strings.Replace(SignPath(path, urlKey), "batch_1", "batch_2", 1)).to(t, s), 401, "missing_authorization")
	}
}

func TestFilesOfARunningJobAreForWhoAsksForAPart(t *testing.T) {
	w := newWorld()
	w.exportJob("batch_1", 4, 1)
	w.change(func() {
		job := &w.jobs[0]
		job.Status, job.CompletedAt, job.Succeeded, job.Failed = batch.Processing, time.Time{}, 2, 1
		w.results["batch_1"][3].Done, w.results["batch_1"][3].Pictures = false, nil
	})
	s := mustServer(t, open(), w)
	for file := range exports {
		out := get("/jobs/batch_1/"+file).to(t, s)
		d := mustProblem(t, out, 409, "job_not_ended")
		if wait, err := strconv.Atoi(out.Header().Get("Retry-After")); err != nil || wait < 1 || wait > 60 || !d.Retryable {
			t.Errorf("%s: Retry-After %q, %+v", file, out.Header().Get("Retry-After"), d)
		}
		if out := get("/jobs/batch_1/"+file+"?partial=true").to(t, s); out.Code != 200 {
			t.Errorf("%s in part: %d %s", file, out.Code, out.Body)
		}
	}
	part := get("/jobs/batch_1/results.csv?partial=true").to(t, s)
	if lines := strings.Split(part.Body.String(), "\r\n"); len(lines) != 6 || lines[4] != "Row 3,3.50,,," {
		t.Errorf("the CSV in part is %q", lines)
	}
	// What has ended since is in the next one.
	w.change(func() {
		w.jobs[0].Succeeded++
		w.results["batch_1"][3] = batch.Result{Index: 3, Key: "C-3", Done: true, Pictures: w.results["batch_1"][2].Pictures}
	})
	if next := get("/jobs/batch_1/results.csv?partial=true").to(t, s); next.Header().Get("ETag") == part.Header().Get("ETag") {
		t.Error("a later part has the ETag of the first")
	}
}

func TestChoicesThatThereAreNotAreRefused(t *testing.T) {
	w := newWorld()
	w.exportJob("batch_1", 2)
	w.acceptedJob("batch_2", 2) // it makes no PDF
	w.exportJob("batch_3", 1, 0)
	s := mustServer(t, open(), w)
	for path, want := range map[string]struct {
		slug, field string
	}{
		"batch_1/results.csv?delimiter=x":         {"out_of_range", "delimiter"},
		"batch_1/results.csv?bom=maybe":           {"out_of_range", "bom"},
		"batch_1/failed.csv?escapeFormulas=maybe": {"out_of_range", "escapeFormulas"},
		"batch_1/results.zip?folders=2":           {"out_of_range", "folders"},
		"batch_1/results.zip?delimiter=,,":        {"out_of_range", "delimiter"},
		"batch_1/results.pdf?output=png":          {"out_of_range", "output"},
		"batch_2/results.pdf":                     {"no_pdf", ""},
		"batch_3/results.pdf":                     {"no_pdf", ""},
	} {
		d := mustProblem(t, get("/jobs/"+path).to(t, s), 422, want.slug)
		if want.field != "" && (len(d.Errors) != 1 || d.Errors[0].Field != want.field) {
			t.Errorf("%s: %+v", path, d)
		}
	}
	mustProblem(t, get("/jobs/batch_1/results.csv?bom=%zz").to(t, s), 400, "malformed_body")
	mustProblem(t, get("/jobs/none/results.zip").to(t, s), 404, "job_not_found")
}

func TestPDFDoesNotLackAPage(t *testing.T) {
	w := newWorld()
	w.exportJob("batch_1", 3)
	gone := w.results["batch_1"][1].Pictures[1].Hash
	data := w.blobs[gone]
	w.change(func() { delete(w.blobs, gone) })
	s := mustServer(t, open(), w)
	mustProblem(t, get("/jobs/batch_1/results.pdf").to(t, s), 409, "pdf_vanished")
	w.change(func() { w.images["cards/x/card"] = bindings.Image{Hash: gone} }) // it is known how to make it
	out := get("/jobs/batch_1/results.pdf").to(t, s)
	mustProblem(t, out, 409, "pdf_vanished")
	if out.Header().Get("Retry-After") == "" || !slices.Contains(w.remade, gone) {
		t.Errorf("header %v, made again %v", out.Header(), w.remade)
	}
	w.change(func() { w.blobs[gone] = data })
	if out := get("/jobs/batch_1/results.pdf").to(t, s); out.Code != 200 {
		t.Errorf("then %d", out.Code)
	}
}

func TestArchiveIsWholeOnceItsPicturesAre(t *testing.T) {
	w := newWorld()
	w.exportJob("batch_1", 3)
	gone := w.results["batch_1"][1].Pictures[0].Hash
	data := w.blobs[gone]
	w.change(func() {
		delete(w.blobs, gone)
		w.images["cards/x/card"] = bindings.Image{Hash: gone}
	})
	s := mustServer(t, open(), w)
	first := get("/jobs/batch_1/results.zip").to(t, s)
	if got := mustFiles(t, first.Body.Bytes()); len(got) != 6 || slices.Contains(got, "C-1.png") || !slices.Equal(w.remade, []string{gone}) {
		t.Errorf("the archive has %q, made again is %q", got, w.remade)
	}
	w.change(func() { w.blobs[gone] = data })
	second := get("/jobs/batch_1/results.zip").to(t, s)
	if got := mustFiles(t, second.Body.Bytes()); len(got) != 7 || first.Header().Get("ETag") == second.Header().Get("ETag") {
		t.Errorf("then it has %q", got)
	}
}

func TestPictureThatVanishesMeanwhileCutsTheArchiveOff(t *testing.T) {
	w := newWorld()
	w.exportJob("batch_1", 3)
	gone := w.results["batch_1"][1].Pictures[0].Hash
	s := mustServer(t, open(), w)
	get("/jobs/batch_1/results.zip").to(t, s)
	w.change(func() { delete(w.blobs, gone) })
	address := mustServe(t, s)
	fetch := func() ([]byte, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/jobs/batch_1/results.zip", nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		answer, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		return io.ReadAll(answer.Body)
	}
	if _, err := fetch(); err == nil {
		t.Error("an archive that lacks a picture came whole")
	}
	second, err := fetch()
	if err != nil {
		t.Fatal(err)
	}
	if got := mustFiles(t, second); len(got) != 6 {
		t.Errorf("the next one has %q", got)
	}
}
