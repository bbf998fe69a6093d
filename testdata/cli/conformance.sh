narthex conformance cli/passes.test cli/fails.test
narthex conformance cli/fails.test --primary-only
narthex conformance nowhere.test
