// Command k8s-check builds a Kustomize folder with Kustomize's own library, or checks what was built with kubeconform
// against the schemas of a folder. It needs no cluster.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/yannh/kubeconform/pkg/validator"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const usage = "usage: k8s-check build FOLDER | k8s-check list FOLDER (as JSON) | k8s-check validate SCHEMAS (manifests on stdin)"

func main() {
	if len(os.Args) != 3 {
		fail(errors.New(usage))
	}
	switch os.Args[1] {
	case "build", "list":
		built, err := build(os.Args[2], os.Args[1] == "list")
		if err != nil {
			fail(err)
		}
		os.Stdout.Write(built)
	case "validate":
		if err := validate(os.Args[2], os.Stdin); err != nil {
			fail(err)
		}
	default:
		fail(errors.New(usage))
	}
}

func build(folder string, asJson bool) ([]byte, error) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, err
	}
	if !asJson {
		return resources.AsYaml()
	}
	all := []map[string]any{}
	for _, resource := range resources.Resources() {
		fields, err := resource.Map()
		if err != nil {
			return nil, err
		}
		all = append(all, fields)
	}
	return json.Marshal(all)
}

// validate is strict: a field that the schema does not know is an error, and so is a kind without a schema.
func validate(schemas string, manifests io.Reader) error {
	text, err := io.ReadAll(manifests)
	if err != nil {
		return err
	}
	location := filepath.Join(schemas, "{{ .Group }}-{{ .ResourceAPIVersion }}-{{ .ResourceKind }}.json")
	checker, err := validator.New([]string{location}, validator.Opts{Strict: true})
	if err != nil {
		return err
	}
	faults := 0
	results := checker.Validate("manifests", io.NopCloser(bytes.NewReader(text)))
	for _, result := range results {
		name := "?"
		if signature, err := result.Resource.Signature(); err == nil {
			name = signature.Kind + "/" + signature.Name
		}
		switch result.Status {
		case validator.Valid:
			fmt.Println(name)
		case validator.Empty:
		default:
			faults++
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, result.Err)
			for _, fault := range result.ValidationErrors {
				fmt.Fprintf(os.Stderr, "%s: %s: %s\n", name, fault.Path, fault.Msg)
			}
		}
	}
	if faults > 0 {
		return fmt.Errorf("%d of %d resources are refused", faults, len(results))
	}
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
