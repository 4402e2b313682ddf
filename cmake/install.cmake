# Installation and the package that find_package(heddle) finds.
