"""The version, for those inside who must not import the package's face."""

VERSION = "0.3.0"
