"""What moto lacks: the engines that play functions, queues, schedules, rules and crawlers as moto holds them."""
