package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// Assets are the files a page asks for besides itself. Each is served under a
// name that holds a hash of what is in it, so that a browser may keep it for
// ever and still never shows an old one.
type Assets struct {
	hashed map[string]string // "app.css" → "/static/app.0123456789ab.css"
	byURL  map[string]*asset
}

type asset struct {
	body, zipped []byte // zipped is nil where it would not be smaller
	kind, etag   string
}

// imported matches a module's import of its neighbour, such as from "./say.js".
var imported = regexp.MustCompile(`((?:from|import)\s*\(?\s*")(\./[\w./-]+\.js)(")`)

// LoadAssets reads every file of files. Modules that import one another by a
// relative path get the hashed name written into the import.
func LoadAssets(files fs.FS) (*Assets, error) {
	a := &Assets{hashed: map[string]string{}, byURL: map[string]*asset{}}
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return a.add(files, name, nil)
	})
	return a, err
}

// add takes in one file; from lists the modules that led to it, so that a
// circle of imports is refused (it has no order in which hashes could be made).
func (a *Assets) add(files fs.FS, name string, from []string) error {
	if a.hashed[name] != "" {
		return nil
	}
	for _, f := range from {
		if f == name {
			return fmt.Errorf("static: modules import each other in a circle: %s", strings.Join(append(from, name), " → "))
		}
	}
	body, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	ext := path.Ext(name)
	if ext == ".js" {
		body = imported.ReplaceAllFunc(body, func(m []byte) []byte {
			part := imported.FindSubmatch(m)
			to := path.Join(path.Dir(name), string(part[2]))
			if e := a.add(files, to, append(from, name)); e != nil {
				err = e
				return m
			}
			return bytes.Join([][]byte{part[1], []byte(a.hashed[to]), part[3]}, nil)
		})
		if err != nil {
			return err
		}
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:6])
	kind := mime.TypeByExtension(ext)
	if ext == ".js" {
		kind = "text/javascript; charset=utf-8"
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	url := "/static/" + strings.TrimSuffix(name, ext) + "." + hash + ext
	a.hashed[name] = url
	a.byURL[url] = &asset{body: body, zipped: zip(body), kind: kind, etag: `"` + hash + `"`}
	return nil
}

func zip(body []byte) []byte {
	var buf bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // fails only on a wrong level
	w.Write(body)
	w.Close()
	if buf.Len() > len(body)*9/10 {
		return nil
	}
	return buf.Bytes()
}

// URL returns where the file is served, such as "/static/app.0123456789ab.css".
func (a *Assets) URL(name string) (string, error) {
	if u, ok := a.hashed[name]; ok {
		return u, nil
	}
	return "", fmt.Errorf("static: there is no file %q", name)
}

// ServeHTTP answers GET /static/….
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.byURL[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", f.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if f.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.zipped
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}
