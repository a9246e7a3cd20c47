"""What an operator does beside the service: doctor, certificates, replays."""
