variable "packages" {
  description = "Folder with the zips of the functions and of their layer."
  type        = string
}

variable "pyarrow" {
  description = "Version of pyarrow in the layer."
  type        = string
}

# The test deploys with these defaults, then with other values.

variable "memory" {
  description = "Of each function, in MB."
  type        = number
  default     = 512
}

variable "log_retention" {
  description = "In days."
  type        = number
  default     = 30
}

variable "every" {
  description = "When the stations are read."
  type        = string
  default     = "cron(0 * * * ? *)"
}

variable "visibility_timeout" {
  description = "Of the queue, in seconds."
  type        = number
  default     = 120
}

variable "scan_limit" {
  description = "Of a query, in bytes."
  type        = number
  default     = 10000000000
}

variable "archive_after" {
  description = "Days until raw objects become archived."
  type        = number
  default     = 90
}
