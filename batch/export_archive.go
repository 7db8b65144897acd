package batch

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/zipview"
)

// Blobs opens bytes by their hash; none is a problem NotFound.
type Blobs interface {
	Open(ctx context.Context, hash string) (io.ReadSeekCloser, int64, error)
}

// An Archive says what a zip of a job's pictures is made of.
type Archive struct {
	Sheet   Sheet // of the manifest
	Folders bool  // one for each output
	Blobs   Blobs
	Scratch io.ReadWriteSeeker // empty; the manifest is kept there until the pictures are in
	// VanishedFunc is told of each picture whose bytes are gone.
	VanishedFunc func(ctx context.Context, hash string)
}

// Write writes the index of the archive: the pictures of rows in their order,
// then manifest.csv, which is the results' CSV with the names of files. A
// picture whose bytes are gone has no file, and the manifest says so in its row.
// The bytes of each picture are read once, for their checksum.
func (a Archive) Write(ctx context.Context, w io.Writer, rows iter.Seq2[Taken, error]) error {
	buffer := bufio.NewWriterSize(w, 64<<10)
	index := zipview.NewWriter(buffer, a.moment())
	manifest, err := a.Sheet.results(a.Scratch, true)
	if err != nil {
		return err
	}
	names := NewNames(a.Sheet.Job.Outputs, a.Folders)
	sums := summer{blobs: a.Blobs, buffer: make([]byte, 128<<10)}
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("read the results of job %s: %w", a.Sheet.Job.ID, err)
		}
		files, fault := map[string]string{}, ""
		for _, p := range row.Pictures {
			name := names.Of(row.Result, p)
			f, err := sums.file(ctx, p.Hash)
			if problem.CodeOf(err) == problem.NotFound && err != nil {
				fault = "the bytes of the output " + p.Output + " have vanished"
				a.VanishedFunc(ctx, p.Hash)
				continue
			}
			if err != nil {
				return err
			}
			f.Name = name
			if err := index.Add(f); err != nil {
				return err
			}
			files[p.Output] = name
		}
		if err := manifest.add(row, files, fault); err != nil {
			return err
		}
	}
	if err := a.addManifest(index, manifest); err != nil {
		return err
	}
	if err := index.Close(); err != nil {
		return err
	}
	return buffer.Flush()
}

// moment is that of all files: the same job gives the same bytes.
func (a Archive) moment() time.Time {
	if a.Sheet.Job.CompletedAt.IsZero() {
		return a.Sheet.Job.CreatedAt
	}
	return a.Sheet.Job.CompletedAt
}

func (a Archive) addManifest(index *zipview.Writer, manifest *sheetWriter) error {
	if err := manifest.csv.flush(); err != nil {
		return err
	}
	if _, err := a.Scratch.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the manifest: %w", err)
	}
	out, err := index.Create(ManifestName)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, a.Scratch)
	return err
}

// A summer finds out about the bytes of pictures. Rows that look alike follow
// each other: it remembers the last one.
type summer struct {
	blobs  Blobs
	buffer []byte
	hash   string
	last   zipview.File
}

func (s *summer) file(ctx context.Context, hash string) (f zipview.File, err error) {
	if err := ctx.Err(); err != nil {
		return f, err
	}
	if hash == s.hash {
		return s.last, nil
	}
	id, err := hex.DecodeString(hash)
	if copy(f.ID[:], id); err != nil || len(id) != len(f.ID) {
		return f, problem.New(problem.NotFound, "%q is no hash of bytes", hash)
	}
	bytes, size, err := s.blobs.Open(ctx, hash)
	if err != nil {
		return f, err
	}
	defer bytes.Close()
	digest := crc32.NewIEEE()
	n, err := io.CopyBuffer(onlyWriter{digest}, onlyReader{bytes}, s.buffer)
	if err != nil {
		return f, fmt.Errorf("read picture %s: %w", hash, err)
	}
	f.Size, f.CRC = size, digest.Sum32()
	if n != size {
		return f, fmt.Errorf("read picture %s: it has %d bytes, and %d were read", hash, size, n)
	}
	s.hash, s.last = hash, f
	return f, nil
}

// These hide that a file could copy itself, which would take a buffer for each.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)
